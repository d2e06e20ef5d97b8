"""Pages: a site of static files about the feeds, which opens from disk.
What is known is collected once, and pages are made of it, pure; there are no values of the data but where asked for:

    site                                facts to files
    overview | feed_page                the first page · a page of each feed
    facts | charts                      what is known of feeds · bars as SVG
    html                                text that is safe, and parts that pages share
"""

from framework.pages.facts import Site, collect
from framework.pages.site import write_site

__all__ = ["Site", "collect", "write_site"]

"""The storages: the only places that touch landing and archive folders or import google.cloud."""

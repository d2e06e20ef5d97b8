package main

import (
	"encoding/xml"
	"strconv"
	"strings"
	"testing"
)

// "PUT Object" and "HTTP headers and query string parameters for XML".
func TestPutObeysTheGenerationHeader(t *testing.T) {
	c := start(t, 0)
	refused := c.ask(412, "PUT", "/b/o", "0", "X-Goog-If-Generation-Match: 7")
	if !strings.Contains(refused.body, "<Error><Code>PreconditionFailed</Code>") {
		t.Fatal(refused.body)
	}
	stored := c.ask(200, "PUT", "/b/o", "1", "X-Goog-If-Generation-Match: 0", "X-Goog-Meta-K: v", "Content-Type: text/csv")
	generation := stored.header.Get("X-Goog-Generation")
	equal(t, generation, c.generation("o"))
	described := c.ask(200, "GET", object("o"), "").json(t)
	equal(t, described["metadata"].(map[string]any)["k"].(string), "v")
	equal(t, described["contentType"].(string), "text/csv")
	c.ask(412, "PUT", "/b/o", "2", "X-Goog-If-Generation-Match: 0")
	c.ask(200, "PUT", "/b/o", "2", "X-Goog-If-Generation-Match: "+generation)
	equal(t, c.content("o"), "2")
	c.ask(400, "PUT", "/b/o", "3", "X-Goog-If-Metageneration-Match: 1")
	c.ask(404, "PUT", "/none/o", "3")
}

// "GET Object", "HEAD Object", "DELETE Object".
func TestGetHeadAndDelete(t *testing.T) {
	c := start(t, 0)
	stored := c.ask(200, "PUT", "/b/o", "0123456789")
	generation, etag := stored.header.Get("X-Goog-Generation"), stored.header.Get("ETag")
	read := c.ask(200, "GET", "/b/o", "")
	equal(t, []string{read.body, read.header.Get("X-Goog-Generation"), read.header.Get("ETag")}, []string{"0123456789", generation, etag})
	head := c.ask(200, "HEAD", "/b/o", "")
	equal(t, []string{head.header.Get("Content-Length"), head.header.Get("X-Goog-Generation")}, []string{"10", generation})
	if head.header.Get("Last-Modified") == "" {
		t.Fatal("Last-Modified is missing")
	}
	part := c.ask(206, "GET", "/b/o", "", "Range: bytes=2-4")
	equal(t, []string{part.body, part.header.Get("Content-Range")}, []string{"234", "bytes 2-4/10"})
	equal(t, c.ask(206, "GET", "/b/o", "", "Range: bytes=7-").body, "789")
	equal(t, c.ask(206, "GET", "/b/o", "", "Range: bytes=-2").body, "89")
	c.ask(416, "GET", "/b/o", "", "Range: bytes=10-")
	c.ask(304, "GET", "/b/o", "", "If-None-Match: "+etag)
	c.ask(412, "GET", "/b/o", "", `If-Match: "other"`)
	c.ask(200, "GET", "/b/o", "", "If-Match: "+etag)
	c.ask(412, "DELETE", "/b/o", "", "X-Goog-If-Generation-Match: 7")
	c.ask(204, "DELETE", "/b/o", "")
	if gone := c.ask(404, "GET", "/b/o", ""); !strings.Contains(gone.body, "<Code>NoSuchKey</Code>") {
		t.Fatal(gone.body)
	}
	c.ask(404, "HEAD", "/b/o", "")
	c.ask(404, "DELETE", "/b/o", "")
}

// "PUT Object", the header x-goog-copy-source with conditions on destination and source.
func TestCopyObeysBothConditions(t *testing.T) {
	c := start(t, 0)
	c.put("from", "new")
	c.put("taken", "old")
	source := "X-Goog-Copy-Source: b/from"
	c.ask(412, "PUT", "/b/taken", "", source, "X-Goog-If-Generation-Match: 0")
	c.ask(412, "PUT", "/b/to", "", source, "X-Goog-Copy-Source-If-Generation-Match: 7")
	c.ask(404, "PUT", "/b/to", "", "X-Goog-Copy-Source: b/none")
	copied := c.ask(200, "PUT", "/b/to", "", source, "X-Goog-If-Generation-Match: 0")
	equal(t, copied.header.Get("X-Goog-Generation"), c.generation("to"))
	equal(t, []string{c.content("to"), c.content("taken"), c.content("from")}, []string{"new", "old", "new"})
}

// "XML API multipart uploads": parts arrive in any order and are joined by number when the upload is completed.
func TestMultipartUpload(t *testing.T) {
	c := start(t, 0)
	open := func() string {
		var opened struct{ UploadId string }
		if err := xml.Unmarshal([]byte(c.ask(200, "POST", "/b/o?uploads", "").body), &opened); err != nil {
			t.Fatal(err)
		}
		return "/b/o?uploadId=" + opened.UploadId
	}
	complete := func(etags ...string) string {
		var body strings.Builder
		for i, etag := range etags {
			body.WriteString("<Part><PartNumber>" + strconv.Itoa(i+1) + "</PartNumber><ETag>" + etag + "</ETag></Part>")
		}
		return "<CompleteMultipartUpload>" + body.String() + "</CompleteMultipartUpload>"
	}
	upload := open()
	second := c.ask(200, "PUT", upload+"&partNumber=2", "def").header.Get("ETag")
	first := c.ask(200, "PUT", upload+"&partNumber=1", "abc").header.Get("ETag")
	c.ask(400, "PUT", upload+"&partNumber=0", "")
	c.ask(404, "GET", "/b/o", "")
	c.ask(400, "POST", upload, complete(second, first))
	c.ask(400, "POST", upload, complete(first, second, first))
	descending := "<C><Part><PartNumber>2</PartNumber><ETag>" + second + "</ETag></Part><Part><PartNumber>1</PartNumber><ETag>" + first + "</ETag></Part></C>"
	c.ask(400, "POST", upload, descending)
	c.ask(404, "POST", strings.Replace(upload, "/b/o", "/b/other", 1), complete(first, second))
	stored := c.ask(200, "POST", upload, complete(first, second))
	equal(t, c.content("o"), "abcdef")
	equal(t, stored.header.Get("X-Goog-Generation"), c.generation("o"))
	c.ask(404, "POST", upload, complete(first, second))

	aborted := open()
	c.ask(200, "PUT", aborted+"&partNumber=1", "x")
	c.ask(204, "DELETE", aborted, "")
	c.ask(404, "PUT", aborted+"&partNumber=2", "x")
	equal(t, c.content("o"), "abcdef")
	guarded := open()
	c.ask(412, "POST", guarded, complete(), "X-Goog-If-Generation-Match: 0")
}

// "List objects" (XML), list-type=2: pages, prefixes and start-after, which leaves out the name itself.
func TestListXML(t *testing.T) {
	c := start(t, 0)
	for _, name := range []string{"log/1", "log/2", "log/3", "log/sub/4", "x & <y>"} {
		c.put(name, "12")
	}
	type listed struct {
		IsTruncated           bool
		NextContinuationToken string
		Contents              []struct {
			Key, ETag, LastModified string
			Size, Generation        int64
		}
		CommonPrefixes []struct{ Prefix string }
	}
	list := func(query string) (keys []string, result listed) {
		answered := c.ask(200, "GET", "/b?list-type=2"+query, "")
		if err := xml.Unmarshal([]byte(answered.body), &result); err != nil {
			t.Fatal(err)
		}
		for _, content := range result.Contents {
			equal(t, content.Size, int64(2))
			equal(t, strconv.FormatInt(content.Generation, 10), c.generation(content.Key))
			keys = append(keys, content.Key)
		}
		return keys, result
	}
	keys, result := list("&prefix=log/&delimiter=/")
	equal(t, keys, []string{"log/1", "log/2", "log/3"})
	equal(t, result.CommonPrefixes[0].Prefix, "log/sub/")
	keys, _ = list("&prefix=log/&start-after=log/2")
	equal(t, keys, []string{"log/3", "log/sub/4"})
	keys, _ = list("&prefix=x")
	equal(t, keys, []string{"x & <y>"})
	keys, result = list("&max-keys=2&start-after=log/1")
	equal(t, keys, []string{"log/2", "log/3"})
	equal(t, result.IsTruncated, true)
	keys, result = list("&max-keys=2&start-after=log/1&continuation-token=" + result.NextContinuationToken)
	equal(t, keys, []string{"log/sub/4", "x & <y>"})
	equal(t, result.IsTruncated, false)
	c.ask(404, "GET", "/none?list-type=2", "")
	c.ask(400, "GET", "/b", "")
}

package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// cloud is an emulator with the buckets b and c, and a client of it.
type cloud struct {
	*testing.T
	server *httptest.Server
}

type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func start(t *testing.T, rewriteChunk int64) cloud {
	t.Helper()
	emulator, err := newEmulator(rewriteChunk, []string{"b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(emulator)
	t.Cleanup(server.Close)
	return cloud{t, server}
}

// try sends a request; headers are "Name: value".
func (c cloud) try(method, target, body string, headers ...string) answer {
	c.Helper()
	request, err := http.NewRequest(method, c.server.URL+target, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := c.server.Client().Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(content), err}
}

// ask sends a request that must be answered with this status.
func (c cloud) ask(status int, method, target, body string, headers ...string) answer {
	c.Helper()
	got := c.try(method, target, body, headers...)
	if got.err != nil || got.status != status {
		c.Fatalf("%s %s: %d %v %s, want %d", method, target, got.status, got.err, got.body, status)
	}
	return got
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(a.body), &document); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	return document
}

func (c cloud) put(name, content string) (generation string) {
	c.Helper()
	stored := c.ask(200, "POST", "/upload/storage/v1/b/b/o?uploadType=media&name="+url.QueryEscape(name), content)
	return stored.json(c.T)["generation"].(string)
}

func (c cloud) generation(name string) string {
	c.Helper()
	return c.ask(200, "GET", object(name), "").json(c.T)["generation"].(string)
}

func (c cloud) content(name string) string {
	c.Helper()
	return c.ask(200, "GET", object(name)+"?alt=media", "").body
}

func (c cloud) names(query string) (names []string) {
	c.Helper()
	for _, item := range items(c.ask(200, "GET", "/storage/v1/b/b/o"+query, "").json(c.T)) {
		names = append(names, item["name"].(string))
	}
	return names
}

func items(document map[string]any) (items []map[string]any) {
	listed, _ := document["items"].([]any)
	for _, item := range listed {
		items = append(items, item.(map[string]any))
	}
	return items
}

func object(name string) string { return "/storage/v1/b/b/o/" + url.PathEscape(name) }

func equal[T any](t *testing.T, got, want T) {
	t.Helper()
	gotJSON, _ := json.Marshal(got)
	wantJSON, _ := json.Marshal(want)
	if string(gotJSON) != string(wantJSON) {
		t.Fatalf("got %s, want %s", gotJSON, wantJSON)
	}
}

// The requests that write the object `to`, and where some of them read `from`.
var writers = map[string]func(c cloud, conditions string) answer{
	"media": func(c cloud, conditions string) answer {
		return c.try("POST", "/upload/storage/v1/b/b/o?uploadType=media&name=to&"+conditions, "new")
	},
	"multipart": func(c cloud, conditions string) answer {
		body := "--x\r\nContent-Type: application/json\r\n\r\n{\"name\": \"to\"}\r\n--x\r\nContent-Type: text/csv\r\n\r\nnew\r\n--x--"
		header := "Content-Type: multipart/related; boundary=x"
		return c.try("POST", "/upload/storage/v1/b/b/o?uploadType=multipart&"+conditions, body, header)
	},
	"resumable": func(c cloud, conditions string) answer {
		opened := c.try("POST", "/upload/storage/v1/b/b/o?uploadType=resumable&name=to&"+conditions, "")
		if opened.status != http.StatusOK {
			return opened
		}
		return c.try("PUT", strings.TrimPrefix(opened.header.Get("Location"), c.server.URL), "new")
	},
	"copy": func(c cloud, conditions string) answer {
		return c.try("POST", object("from")+"/copyTo/b/b/o/to?"+conditions, "")
	},
	"rewrite": func(c cloud, conditions string) answer {
		return c.try("POST", object("from")+"/rewriteTo/b/b/o/to?"+conditions, "")
	},
	"move": func(c cloud, conditions string) answer {
		return c.try("POST", object("from")+"/moveTo/o/to?"+conditions, "")
	},
	"compose": func(c cloud, conditions string) answer {
		return c.try("POST", object("to")+"/compose?"+conditions, `{"sourceObjects": [{"name": "from"}]}`)
	},
}

// "Request preconditions" and "Use request preconditions": a write happens if the live generation of its destination
// is the one given, 0 standing for no object; otherwise it answers 412 and changes nothing.
func TestWritesObeyConditionsOnTheDestination(t *testing.T) {
	for name, write := range writers {
		t.Run(name, func(t *testing.T) {
			c := start(t, 0)
			c.put("from", "new")
			equal(t, write(c, "ifGenerationMatch=7").status, 412)
			equal(t, write(c, "ifGenerationNotMatch=0").status, 412)
			equal(t, c.names(""), []string{"from"})
			equal(t, write(c, "ifGenerationMatch=0").status, 200)
			equal(t, c.content("to"), "new")

			c.put("from", "new")
			generation := c.put("to", "old")
			equal(t, write(c, "ifGenerationMatch=0").status, 412)
			equal(t, write(c, "ifGenerationNotMatch="+generation).status, 412)
			equal(t, c.content("to"), "old")
			equal(t, c.names(""), []string{"from", "to"})
			equal(t, write(c, "ifGenerationMatch="+generation).status, 200)
			equal(t, c.content("to"), "new")
			if c.generation("to") <= generation {
				t.Fatal("a write must give a higher generation")
			}
		})
	}
}

// "Objects: rewrite", "Objects: copy", "Objects: move": conditions on the source.
func TestCopiesObeyConditionsOnTheSource(t *testing.T) {
	for _, name := range []string{"copy", "rewrite", "move"} {
		t.Run(name, func(t *testing.T) {
			c := start(t, 0)
			equal(t, writers[name](c, "").status, 404)
			generation := c.put("from", "new")
			equal(t, writers[name](c, "ifSourceGenerationMatch=7").status, 412)
			equal(t, writers[name](c, "ifSourceGenerationNotMatch="+generation).status, 412)
			equal(t, c.names(""), []string{"from"})
			equal(t, writers[name](c, "ifSourceGenerationMatch="+generation).status, 200)
			equal(t, c.content("to"), "new")
		})
	}
}

// "Objects: compose": each source may carry a generation and a condition on it.
func TestComposeObeysConditionsOnItsSources(t *testing.T) {
	c := start(t, 0)
	generation := c.put("from", "a")
	for source, status := range map[string]int{
		`{"name": "none"}`:                                                                     404,
		`{"name": "from", "generation": 7}`:                                                    404,
		`{"name": "from", "generation": "7"}`:                                                  404,
		`{"name": "from", "objectPreconditions": {"ifGenerationMatch": "7"}}`:                  412,
		`{"name": "from", "objectPreconditions": {"ifGenerationMatch": "` + generation + `"}}`: 200,
	} {
		c.ask(status, "POST", object("to")+"/compose", `{"sourceObjects": [`+source+`, `+source+`]}`)
	}
	equal(t, c.content("to"), "aa")
}

// "Request preconditions": a read or a change of an object that is not there answers 404 whatever the condition says,
// another generation 412, and a read of a generation that the caller has already 304.
func TestReadsAndChangesObeyConditions(t *testing.T) {
	c := start(t, 0)
	c.ask(404, "DELETE", object("o")+"?ifGenerationMatch=0", "")
	generation := c.put("o", "content")
	for _, request := range []struct {
		method, query, body string
		unchanged           int
	}{{"GET", "", "", 304}, {"GET", "alt=media&", "", 304}, {"PATCH", "", "{}", 412}, {"DELETE", "", "", 412}} {
		target := object("o") + "?" + request.query
		c.ask(404, request.method, object("none")+"?"+request.query+"ifGenerationMatch=7", request.body)
		c.ask(412, request.method, target+"ifGenerationMatch=7", request.body)
		c.ask(412, request.method, target+"ifGenerationMatch=0", request.body)
		c.ask(request.unchanged, request.method, target+"ifGenerationNotMatch="+generation, request.body)
		if request.method != "DELETE" {
			c.ask(200, request.method, target+"ifGenerationMatch="+generation, request.body)
		}
	}
	equal(t, c.content("o"), "content")
	c.ask(204, "DELETE", object("o")+"?ifGenerationMatch="+generation, "")
	equal(t, len(c.names("")), 0)
}

// "HTTP status and error codes for JSON": the shape of errors.
func TestErrorsHaveGooglesShape(t *testing.T) {
	c := start(t, 0)
	c.put("o", "")
	for target, want := range map[string][2]string{
		object("none"):                           {"404", "notFound"},
		object("o") + "?ifGenerationMatch=7":     {"412", "conditionNotMet"},
		object("o") + "?ifGenerationMatch=x":     {"400", "invalid"},
		"/storage/v1/b/b/o?matchGlob=*.csv":      {"400", "invalid"},
		"/storage/v1/b/none/o":                   {"404", "notFound"},
		"/storage/v1/b/none/o/o?alt=media":       {"404", "notFound"},
		object("o") + "?ifMetagenerationMatch=1": {"400", "invalid"},
	} {
		status, _ := strconv.Atoi(want[0])
		problem := c.ask(status, "GET", target, "").json(t)["error"].(map[string]any)
		equal(t, problem["code"].(float64), float64(status))
		equal(t, problem["errors"].([]any)[0].(map[string]any)["reason"].(string), want[1])
		if problem["message"] == "" {
			t.Fatal("an error needs a message")
		}
	}
}

// Conditions that are not checked must not be ignored.
func TestMetagenerationConditionsAreRefused(t *testing.T) {
	for name, write := range writers {
		c := start(t, 0)
		c.put("from", "")
		for _, condition := range []string{"ifMetagenerationMatch=1", "ifMetagenerationNotMatch=7"} {
			if got := write(c, condition); got.status != 400 {
				t.Fatalf("%s with %s: %d", name, condition, got.status)
			}
		}
	}
}

func TestWhatIsNotThereIsRefused(t *testing.T) {
	c := start(t, 0)
	c.put("o", "")
	c.ask(501, "GET", object("o")+"/acl", "")
	c.ask(501, "PUT", "/b", "")
	c.ask(400, "GET", "/storage/v1/b/b?ifMetagenerationMatch=7", "")
	c.ask(400, "PATCH", "/storage/v1/b/b", `{"versioning": {"enabled": true}}`)
	c.ask(400, "POST", "/upload/storage/v1/b/b/o?name=o", "")
	c.ask(404, "GET", "/_emulator/faults", "")
}

// "Object versioning", "Objects: get", "Objects: delete": without versioning an overwritten generation is gone.
func TestAnOverwrittenGenerationIsGone(t *testing.T) {
	c := start(t, 0)
	old := c.put("o", "old")
	live := c.put("o", "live")
	for _, gone := range []string{old, "7"} {
		c.ask(404, "GET", object("o")+"?generation="+gone, "")
		c.ask(404, "GET", object("o")+"?alt=media&generation="+gone, "")
		c.ask(404, "GET", "/b/o?generation="+gone, "")
		c.ask(404, "DELETE", object("o")+"?generation="+gone, "")
		c.ask(404, "POST", object("o")+"/copyTo/b/b/o/to?sourceGeneration="+gone, "")
	}
	equal(t, c.ask(200, "GET", object("o")+"?alt=media&generation="+live, "").body, "live")
	c.ask(204, "DELETE", object("o")+"?generation="+live, "")
	equal(t, len(c.names("")), 0)
}

// "Objects: move": content and metadata stay, generation and times are new, the source is gone, the names differ.
func TestAMovedObjectKeepsContentAndMetadata(t *testing.T) {
	c := start(t, 0)
	c.put("from", "content")
	before := c.ask(200, "PATCH", object("from"), `{"metadata": {"k": "v"}, "contentType": "text/csv"}`).json(t)
	c.ask(400, "POST", object("from")+"/moveTo/o/from", "")
	moved := c.ask(200, "POST", object("from")+"/moveTo/o/to", "").json(t)
	for _, field := range []string{"crc32c", "md5Hash", "size", "metadata", "contentType", "storageClass"} {
		equal(t, moved[field], before[field])
	}
	equal(t, moved["name"].(string), "to")
	for _, field := range []string{"generation", "timeCreated", "updated"} {
		if moved[field].(string) <= before[field].(string) {
			t.Fatalf("%s must be new: %v", field, moved[field])
		}
	}
	c.ask(404, "GET", object("from"), "")
	equal(t, c.content("to"), "content")
}

// "Object holds": an object under a hold can be read, copied and patched, not deleted, overwritten or moved.
func TestAHoldKeepsAnObject(t *testing.T) {
	for _, hold := range []string{"temporaryHold", "eventBasedHold"} {
		c := start(t, 0)
		c.put("from", "old")
		c.put("other", "new")
		held := c.ask(200, "PATCH", object("from"), `{"`+hold+`": true}`).json(t)
		equal(t, held[hold].(bool), true)
		c.ask(403, "DELETE", object("from"), "")
		c.ask(403, "POST", object("from")+"/moveTo/o/to", "")
		c.ask(403, "POST", object("other")+"/moveTo/o/from", "")
		c.ask(403, "POST", object("other")+"/copyTo/b/b/o/from", "")
		c.ask(403, "POST", "/upload/storage/v1/b/b/o?uploadType=media&name=from", "new")
		c.ask(403, "PUT", "/b/from", "new")
		c.ask(200, "POST", object("from")+"/copyTo/b/b/o/copied", "")
		c.ask(200, "PATCH", object("from"), `{"metadata": {"k": "v"}}`)
		equal(t, c.content("from"), "old")
		c.ask(403, "DELETE", object("from"), "")
		c.ask(200, "PATCH", object("from"), `{"`+hold+`": false}`)
		c.ask(200, "POST", object("from")+"/moveTo/o/to", "")
		equal(t, c.names(""), []string{"copied", "other", "to"})
	}
}

// "Objects: rewrite": until it is done there is a token to go on with, and no destination.
func TestALargeRewriteTakesSeveralCalls(t *testing.T) {
	c := start(t, 4)
	c.put("o", "0123456789")
	target := object("o") + "/rewriteTo/b/c/o/o"
	first := c.ask(200, "POST", target, "").json(t)
	equal(t, first["done"].(bool), false)
	equal(t, first["totalBytesRewritten"].(string), "4")
	equal(t, first["objectSize"].(string), "10")
	second := c.ask(200, "POST", target+"?rewriteToken="+first["rewriteToken"].(string), "").json(t)
	equal(t, second["totalBytesRewritten"].(string), "8")
	c.ask(404, "GET", "/storage/v1/b/c/o/o", "")
	last := c.ask(200, "POST", target+"?rewriteToken="+second["rewriteToken"].(string), "").json(t)
	equal(t, last["done"].(bool), true)
	equal(t, last["resource"].(map[string]any)["bucket"].(string), "c")
	equal(t, c.ask(200, "GET", "/storage/v1/b/c/o/o?alt=media", "").body, "0123456789")

	token := c.ask(200, "POST", target, "").json(t)["rewriteToken"].(string)
	c.ask(400, "POST", object("o")+"/rewriteTo/b/c/o/other?rewriteToken="+token, "")
	c.put("o", "another content")
	c.ask(400, "POST", target+"?rewriteToken="+token, "")
	for _, limits := range [][2]string{{"3", "3"}, {"9", "4"}} {
		limited := c.ask(200, "POST", target+"?maxBytesRewrittenPerCall="+limits[0], "").json(t)
		equal(t, limited["totalBytesRewritten"].(string), limits[1])
	}
	unlimited := start(t, 0)
	unlimited.put("o", "0123456789")
	equal(t, unlimited.ask(200, "POST", target+"?maxBytesRewrittenPerCall=9", "").json(t)["done"].(bool), false)
	equal(t, unlimited.ask(200, "POST", target, "").json(t)["done"].(bool), true)
}

// "Objects: list": pages, in which objects and prefixes count together, and offsets.
func TestListsComeInPages(t *testing.T) {
	c := start(t, 0)
	all := []string{"a/1", "a/2", "b", "c/", "c/1", "d", "e"}
	for _, name := range all {
		c.put(name, "")
	}
	equal(t, c.names(""), all)
	equal(t, c.names("?startOffset=c/&endOffset=e"), []string{"c/", "c/1", "d"})
	equal(t, c.names("?prefix=c/&delimiter=/"), []string{"c/", "c/1"})
	equal(t, c.names("?delimiter=/&includeTrailingDelimiter=true"), []string{"b", "c/", "d", "e"})
	for _, query := range []string{"maxResults=0", "maxResults=x", "pageToken=?", "softDeleted=true"} {
		c.ask(400, "GET", "/storage/v1/b/b/o?"+query, "")
	}
	var pages [][]string
	token := ""
	for {
		document := c.ask(200, "GET", "/storage/v1/b/b/o?delimiter=/&maxResults=2&pageToken="+token, "").json(t)
		var page []string
		for _, item := range items(document) {
			page = append(page, item["name"].(string))
		}
		prefixes, _ := document["prefixes"].([]any)
		for _, prefix := range prefixes {
			page = append(page, prefix.(string))
		}
		pages = append(pages, page)
		if token, _ = document["nextPageToken"].(string); token == "" {
			break
		}
	}
	equal(t, pages, [][]string{{"b", "a/"}, {"d", "c/"}, {"e"}})
}

// "About Cloud Storage objects", naming requirements, and "Request endpoints", encoding URI path parts.
func TestAnyNameWorksOnEveryRoute(t *testing.T) {
	for _, name := range []string{
		"a b", "a#b", "a?b", "a%b", "a%2Fb", "a+b", "ä/日本", "a//b", "a/../b", "/a", "a/", "..a", "x/moveTo/o/y", "a/acl",
		"a/compose", "o", strings.Repeat("n", 1000), "a\"b<c>&d;e=f", "[a]*",
	} {
		c := start(t, 0)
		c.put(name, "1")
		xml := "/b/" + strings.ReplaceAll(url.PathEscape(name), "%2F", "/")
		equal(t, c.content(name), "1")
		equal(t, c.ask(200, "GET", "/download"+object(name)+"?alt=media", "").body, "1")
		equal(t, c.ask(200, "GET", xml, "").body, "1")
		equal(t, c.ask(200, "GET", object(name), "").json(t)["name"].(string), name)
		equal(t, c.ask(200, "PATCH", object(name), `{"metadata": {"k": "v"}}`).json(t)["name"].(string), name)
		c.ask(200, "PUT", xml, "2")
		c.ask(200, "POST", object(name)+"/rewriteTo/b/c/o/"+url.PathEscape(name), "")
		c.ask(200, "PUT", xml+"1", "", "X-Goog-Copy-Source: b/"+url.PathEscape(name))
		c.ask(204, "DELETE", xml+"1", "")
		c.ask(200, "POST", object(name)+"/moveTo/o/"+url.PathEscape(name+"2"), "")
		c.ask(200, "POST", object(name)+"/compose", `{"sourceObjects": [{"name": `+quote(name+"2")+`}]}`)
		equal(t, c.content(name), "2")
		equal(t, c.names("?prefix="+url.QueryEscape(name)), []string{name, name + "2"})
		c.ask(204, "DELETE", object(name), "")
		equal(t, c.names(""), []string{name + "2"})
	}
	c := start(t, 0)
	c.put("from", "")
	for _, name := range []string{"..", ".", "a\nb", strings.Repeat("n", 1025), "\xff"} {
		c.ask(400, "POST", "/upload/storage/v1/b/b/o?uploadType=media&name="+url.QueryEscape(name), "")
		c.ask(400, "POST", object("from")+"/moveTo/o/"+url.PathEscape(name), "")
	}
}

func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// "Perform resumable uploads": a question for the state ends nothing, and a chunk sent again is stored once.
func TestResumableUploadsSurviveLostReplies(t *testing.T) {
	c := start(t, 0)
	opened := c.ask(200, "POST", "/upload/storage/v1/b/b/o?uploadType=resumable", `{"name": "o", "metadata": {"k": "v"}}`)
	session := strings.TrimPrefix(opened.header.Get("Location"), c.server.URL)
	equal(t, c.ask(308, "PUT", session, "", "Content-Range: bytes */*").header.Get("Range"), "")
	for range 2 {
		equal(t, c.ask(308, "PUT", session, "0123", "Content-Range: bytes 0-3/10").header.Get("Range"), "bytes=0-3")
	}
	equal(t, c.ask(308, "PUT", session, "", "Content-Range: bytes */10").header.Get("Range"), "bytes=0-3")
	c.ask(400, "PUT", session, "9", "Content-Range: bytes 9-9/10")
	c.ask(404, "GET", object("o"), "")
	for range 2 {
		stored := c.ask(200, "PUT", session, "3456789", "Content-Range: bytes 3-9/10").json(t)
		equal(t, stored["metadata"].(map[string]any)["k"].(string), "v")
	}
	equal(t, c.content("o"), "0123456789")

	streamed := c.ask(200, "POST", "/upload/storage/v1/b/b/o?uploadType=resumable&name=s", "")
	session = strings.TrimPrefix(streamed.header.Get("Location"), c.server.URL)
	c.ask(308, "PUT", session, "0123", "Content-Range: bytes 0-3/*")
	c.ask(200, "PUT", session, "", "Content-Range: bytes */4")
	equal(t, c.content("s"), "0123")
	cancelled := c.ask(200, "POST", "/upload/storage/v1/b/b/o?uploadType=resumable&name=x", "")
	session = strings.TrimPrefix(cancelled.header.Get("Location"), c.server.URL)
	c.ask(499, "DELETE", session, "")
	c.ask(404, "PUT", session, "")
}

// "Use gzip on the JSON API" for requests, "Transcoding of gzip-compressed files" for content.
func TestCompressedRequestsAreOpenedAndCompressedContentIsKept(t *testing.T) {
	c := start(t, 0)
	c.put("o", "")
	c.ask(200, "PATCH", object("o"), zip(`{"contentType": "text/csv"}`), "Content-Encoding: gzip")
	equal(t, c.ask(200, "GET", object("o"), "").json(t)["contentType"].(string), "text/csv")
	c.ask(400, "PATCH", object("o"), "not compressed", "Content-Encoding: gzip")
	c.ask(200, "PUT", "/b/z", zip("content"), "Content-Encoding: gzip")
	equal(t, c.ask(200, "GET", object("z"), "").json(t)["contentEncoding"].(string), "gzip")
	equal(t, c.ask(200, "GET", "/b/z", "", "Accept-Encoding: gzip").body, zip("content"))
	equal(t, c.ask(200, "GET", "/b/z", "", "Accept-Encoding: identity").body, "content")
}

func zip(text string) string {
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	writer.Write([]byte(text))
	writer.Close()
	return zipped.String()
}

// "Batch requests": each part is a request of its own.
func TestABatchIsSeveralRequests(t *testing.T) {
	c := start(t, 0)
	generation := c.put("a", "")
	c.put("b", "")
	var body strings.Builder
	for i, target := range []string{object("a") + "?ifGenerationMatch=" + generation, object("b") + "?ifGenerationMatch=7", object("none")} {
		body.WriteString("--x\r\nContent-Type: application/http\r\nContent-ID: <" + strconv.Itoa(i) + ">\r\n\r\nDELETE " + target + " HTTP/1.1\r\n\r\n\r\n")
	}
	body.WriteString("--x--")
	answered := c.ask(200, "POST", "/batch/storage/v1", body.String(), "Content-Type: multipart/mixed; boundary=x").body
	for _, want := range []string{"<response-0>", "HTTP/1.1 204", "<response-1>", "HTTP/1.1 412", "<response-2>", "HTTP/1.1 404"} {
		position := strings.Index(answered, want)
		if position < 0 {
			t.Fatalf("%s is missing or out of order in %s", want, answered)
		}
		answered = answered[position:]
	}
	equal(t, c.names(""), []string{"b"})
}

// "Request preconditions": of several writers at once that demand the same generation, one succeeds.
func TestOneOfManyWritersWins(t *testing.T) {
	large := strings.Repeat("x", 1<<20) // takes long enough to store for others to come in between
	oneWins := map[int]int{200: 1, 412: 9}
	putXML := func(c cloud, _ string) answer { return c.try("PUT", "/b/to", large, "X-Goog-If-Generation-Match: 0") }
	for _, write := range []func(c cloud, conditions string) answer{writers["copy"], writers["rewrite"], writers["compose"], putXML} {
		c := start(t, 0)
		c.put("from", large)
		equal(t, together(func(int) int { return write(c, "ifGenerationMatch=0").status }), oneWins)
	}
	c := start(t, 0)
	for i := range 10 {
		c.put("from"+strconv.Itoa(i), large)
	}
	moved := together(func(i int) int {
		return c.try("POST", object("from"+strconv.Itoa(i))+"/moveTo/o/to?ifGenerationMatch=0", "").status
	})
	equal(t, moved, oneWins)
	equal(t, len(c.names("?prefix=from")), 9)
	generation := c.generation("to")
	once := together(func(i int) int {
		return c.try("POST", object("to")+"/moveTo/o/"+strconv.Itoa(i)+"?ifSourceGenerationMatch="+generation, "").status
	})
	equal(t, once, map[int]int{200: 1, 404: 9})
}

// together does something ten times at once and counts the results.
func together(do func(int) int) map[int]int {
	results := map[int]int{}
	var lock sync.Mutex
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			result := do(i)
			lock.Lock()
			defer lock.Unlock()
			results[result]++
		})
	}
	group.Wait()
	return results
}

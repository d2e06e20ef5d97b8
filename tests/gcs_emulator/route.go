package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// route finds out what is asked for, from the path as it was sent: names hold blanks, `//`, `..`, `%` and `?`,
// which cleaning or decoding the path as a whole would destroy.
func (r *request) route() error {
	for _, prefix := range []string{"/upload/storage/v1/b/", "/download/storage/v1/b/", "/storage/v1/b/"} {
		if rest, ok := strings.CutPrefix(r.path, prefix); ok {
			return r.routeJSON(prefix, rest)
		}
	}
	switch {
	case r.path == "/storage/v1/b":
		r.operation, r.answer = "bucket", (*emulator).buckets
	case strings.HasPrefix(r.path, "/batch/"):
		r.operation, r.answer = "batch", (*emulator).batch
	default:
		return r.routeXML()
	}
	return nil
}

func (r *request) routeJSON(prefix, rest string) error {
	bucket, rest, _ := strings.Cut(rest, "/")
	rest, isObject := strings.CutPrefix(rest+"/", "o/")
	rest = strings.TrimSuffix(rest, "/")
	var err error
	if r.bucket, err = url.PathUnescape(bucket); err != nil {
		return err
	}
	switch {
	case !isObject:
		r.operation, r.answer = "bucket", (*emulator).buckets
	case prefix == "/upload/storage/v1/b/":
		r.operation, r.answer = "upload", (*emulator).upload
	case rest == "":
		r.operation, r.answer = "list", (*emulator).listJSON
	default:
		return r.routeObject(rest, prefix == "/download/storage/v1/b/")
	}
	return nil
}

// A segment between the source object and the destination, with what it asks for. Slashes inside names arrive
// escaped, so the first one that is not is the separator.
var betweenObjects = []struct {
	separator string
	operation string
	answer    func(*emulator, request) reply
}{
	{"/moveTo/o/", "move", (*emulator).move},
	{"/rewriteTo/b/", "rewrite", (*emulator).rewrite},
	{"/copyTo/b/", "copy", (*emulator).copy},
}

func (r *request) routeObject(rest string, download bool) error {
	r.toBucket = r.bucket
	for _, between := range betweenObjects {
		source, destination, found := strings.Cut(rest, between.separator)
		if !found || r.method != http.MethodPost {
			continue
		}
		if between.operation != "move" {
			var bucket string
			if bucket, destination, found = strings.Cut(destination, "/o/"); !found {
				return fmt.Errorf("the path %q names no destination object", r.path)
			}
			r.toBucket = bucket
		}
		r.operation, r.answer = between.operation, between.answer
		return r.unescape(source, destination)
	}
	if source, ok := strings.CutSuffix(rest, "/compose"); ok && r.method == http.MethodPost {
		r.operation, r.answer = "compose", (*emulator).compose
		return r.unescape(source, source)
	}
	if name, _, ok := strings.Cut(rest, "/acl"); ok {
		r.operation, r.answer = "acl", (*emulator).unsupported
		return r.unescape(name, "")
	}
	switch r.method {
	case http.MethodGet, http.MethodHead:
		r.operation, r.answer = "metadata", (*emulator).metadata
		if download || r.query.Get("alt") == "media" {
			r.operation, r.answer = "media", (*emulator).media
		}
	case http.MethodDelete:
		r.operation, r.answer = "delete", (*emulator).delete
	default:
		r.operation, r.answer = "patch", (*emulator).patch
	}
	return r.unescape(rest, "")
}

func (r *request) unescape(source, destination string) (err error) {
	if r.object, err = url.PathUnescape(source); err != nil {
		return err
	}
	r.to, err = url.PathUnescape(destination)
	return err
}

// checkName refuses what Google refuses (documentation: "About Cloud Storage objects", naming requirements).
func checkName(name string) error {
	switch {
	case name == "" || len(name) > 1024:
		return fmt.Errorf("an object name has 1 to 1024 bytes, this one has %d", len(name))
	case !utf8.ValidString(name):
		return fmt.Errorf("an object name must be UTF-8")
	case strings.ContainsAny(name, "\r\n"):
		return fmt.Errorf("an object name must not contain carriage returns or line feeds")
	case name == "." || name == "..":
		return fmt.Errorf("an object must not be named %q", name)
	}
	return nil
}

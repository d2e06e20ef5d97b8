package main

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

const longestPage = 1000

// listing says which names to list; before and after are exclusive, from is inclusive, empty is unlimited.
type listing struct {
	prefix, delimiter, from, after, before string
	trailing                               bool // a name that ends with the delimiter is listed besides its prefix
	limit                                  int
}

type page struct {
	objects  []fakestorage.ObjectAttrs
	prefixes []string
	token    string
}

// list gives one page, in the order of the names' bytes. Objects and prefixes count together.
func (e *emulator) list(bucket string, wanted listing) (page, error) {
	objects, _, err := e.store.ListObjectsWithOptions(bucket, fakestorage.ListOptions{Prefix: wanted.prefix})
	if err != nil {
		return page{}, err
	}
	slices.SortFunc(objects, func(a, b fakestorage.ObjectAttrs) int { return strings.Compare(a.Name, b.Name) })
	var found page
	var last string // the entry listed last: a name or a prefix
	for _, object := range objects {
		name := object.Name
		if name < wanted.from || (wanted.before != "" && name >= wanted.before) {
			continue
		}
		entry, isPrefix := wanted.entry(name)
		done := entry <= wanted.after && wanted.after != ""
		if done || (isPrefix && entry == last && !(wanted.trailing && name == entry)) {
			continue
		}
		if len(found.objects)+len(found.prefixes) == wanted.limit {
			found.token = last
			return found, nil
		}
		if isPrefix {
			found.prefixes = append(found.prefixes, entry)
		}
		if !isPrefix || (wanted.trailing && name == entry) {
			found.objects = append(found.objects, object)
		}
		last = entry
	}
	return found, nil
}

// entry is the name, or the part of it up to the first delimiter behind the prefix.
func (l listing) entry(name string) (string, bool) {
	if l.delimiter == "" {
		return name, false
	}
	head, _, found := strings.Cut(name[len(l.prefix):], l.delimiter)
	if !found {
		return name, false
	}
	return l.prefix + head + l.delimiter, true
}

// listingOf reads what the JSON and the XML API have in common.
func listingOf(query url.Values, limit, token string) (listing, *reply) {
	wanted := listing{prefix: query.Get("prefix"), delimiter: query.Get("delimiter"), limit: longestPage}
	if text := query.Get(limit); text != "" {
		count, err := strconv.Atoi(text)
		if err != nil || count < 1 {
			wrong := failure(http.StatusBadRequest, "Invalid "+limit+": "+text)
			return wanted, &wrong
		}
		wanted.limit = min(count, longestPage)
	}
	after, err := base64.URLEncoding.DecodeString(query.Get(token))
	if err != nil {
		wrong := failure(http.StatusBadRequest, "Invalid "+token)
		return wanted, &wrong
	}
	wanted.after = string(after)
	return wanted, nil
}

// listJSON lists objects (documentation: "Objects: list").
func (e *emulator) listJSON(asked request) reply {
	if missing := e.checkBucket(asked.bucket); missing != nil {
		return *missing
	}
	for _, name := range []string{"matchGlob", "filter", "softDeleted", "includeFoldersAsPrefixes"} {
		if value := asked.query.Get(name); value != "" && value != "false" && value != "False" {
			return failure(http.StatusBadRequest, name+" is not supported by this emulator")
		}
	}
	wanted, wrong := listingOf(asked.query, "maxResults", "pageToken")
	if wrong != nil {
		return *wrong
	}
	wanted.from, wanted.before = asked.query.Get("startOffset"), asked.query.Get("endOffset")
	wanted.trailing = strings.EqualFold(asked.query.Get("includeTrailingDelimiter"), "true")
	found, err := e.list(asked.bucket, wanted)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	answer := map[string]any{"kind": "storage#objects"}
	if len(found.objects) > 0 {
		items := make([]map[string]any, len(found.objects))
		for i, object := range found.objects {
			items[i] = e.resource(asked, object)
		}
		answer["items"] = items
	}
	if len(found.prefixes) > 0 {
		answer["prefixes"] = found.prefixes
	}
	if found.token != "" {
		answer["nextPageToken"] = base64.URLEncoding.EncodeToString([]byte(found.token))
	}
	return answerJSON(http.StatusOK, answer)
}

package main

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The parameters of the JSON API that these headers of the XML API stand for
// (documentation: "HTTP headers and query string parameters for XML").
var headerConditions = map[string]string{
	"X-Goog-If-Generation-Match":                 "ifGenerationMatch",
	"X-Goog-If-Metageneration-Match":             "ifMetagenerationMatch",
	"X-Goog-Copy-Source-Generation":              "sourceGeneration",
	"X-Goog-Copy-Source-If-Generation-Match":     "ifSourceGenerationMatch",
	"X-Goog-Copy-Source-If-Metageneration-Match": "ifSourceMetagenerationMatch",
}

// routeXML finds out what /bucket or /bucket/object is asked for.
func (r *request) routeXML() error {
	r.xml = true
	bucket, object, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
	var err error
	if r.bucket, err = url.PathUnescape(bucket); err != nil {
		return err
	}
	for header, parameter := range headerConditions {
		if value := r.header.Get(header); value != "" {
			r.query.Set(parameter, value)
		}
	}
	var answer func(*emulator, request) reply
	switch {
	case object == "" && r.method == http.MethodGet:
		r.operation, answer = "list", (*emulator).listXML
	case object == "":
		r.operation, answer = "bucket", (*emulator).unsupported
	case r.method == http.MethodGet:
		r.operation, answer = "media", (*emulator).getXML
	case r.method == http.MethodHead:
		r.operation, answer = "metadata", (*emulator).getXML
	case r.header.Get("X-Goog-Copy-Source") != "":
		r.operation, answer = "copy", (*emulator).copyXML
	case r.query.Has("uploadId") || r.query.Has("uploads"):
		r.operation, answer = "upload", (*emulator).multipartXML
	case r.method == http.MethodPut:
		r.operation, answer = "upload", (*emulator).putXML
	case r.method == http.MethodDelete:
		r.operation, answer = "delete", (*emulator).delete
	default:
		r.operation, answer = "bucket", (*emulator).unsupported
	}
	r.answer = func(e *emulator, asked request) reply { return inXML(answer(e, asked)) }
	return r.unescape(object, "")
}

func (e *emulator) unsupported(asked request) reply {
	return failure(http.StatusNotImplemented, asked.method+" "+asked.path+" is not supported by this emulator")
}

var codes = map[int]string{
	http.StatusBadRequest:         "InvalidArgument",
	http.StatusNotFound:           "NoSuchKey",
	http.StatusPreconditionFailed: "PreconditionFailed",
}

// inXML turns an error of the JSON API into one of the XML API (documentation: "HTTP status and error codes for XML").
func inXML(answer reply) reply {
	if answer.status < http.StatusBadRequest || !strings.HasPrefix(answer.header.Get("Content-Type"), "application/json") {
		return answer
	}
	var document struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(answer.body, &document); err != nil {
		return answer
	}
	return answerXML(answer.status, struct {
		XMLName       xml.Name `xml:"Error"`
		Code, Message string
	}{Code: codes[answer.status], Message: document.Error.Message})
}

func answerXML(status int, document any) reply {
	body, err := xml.Marshal(document)
	if err != nil {
		panic(err) // structs of this program always have XML
	}
	header := http.Header{"Content-Type": {"application/xml; charset=UTF-8"}}
	return reply{status, header, append([]byte(xml.Header), body...)}
}

// listXML lists objects (documentation: "List objects", list-type=2).
func (e *emulator) listXML(asked request) reply {
	type contents struct {
		Key          string
		Generation   int64
		Size         int64
		LastModified string
		ETag         string
	}
	type commonPrefixes struct{ Prefix string }
	type result struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Name                  string
		Prefix                string
		Delimiter             string `xml:",omitempty"`
		StartAfter            string `xml:",omitempty"`
		MaxKeys               int
		KeyCount              int
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []contents
		CommonPrefixes        []commonPrefixes
	}
	if missing := e.checkBucket(asked.bucket); missing != nil {
		return *missing
	}
	if asked.query.Get("list-type") != "2" {
		return failure(http.StatusBadRequest, "only list-type=2 is supported by this emulator")
	}
	wanted, wrong := listingOf(asked.query, "max-keys", "continuation-token")
	if wrong != nil {
		return *wrong
	}
	start := asked.query.Get("start-after")
	wanted.after = max(wanted.after, start)
	found, err := e.list(asked.bucket, wanted)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	answer := result{
		Name:        asked.bucket,
		Prefix:      wanted.prefix,
		Delimiter:   wanted.delimiter,
		StartAfter:  start,
		MaxKeys:     wanted.limit,
		KeyCount:    len(found.objects) + len(found.prefixes),
		IsTruncated: found.token != "",
	}
	if found.token != "" {
		answer.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(found.token))
	}
	for _, object := range found.objects {
		answer.Contents = append(answer.Contents, contents{
			object.Name, object.Generation, object.Size, object.Updated.UTC().Format(timeFormat), quoted(object.Etag),
		})
	}
	for _, prefix := range found.prefixes {
		answer.CommonPrefixes = append(answer.CommonPrefixes, commonPrefixes{prefix})
	}
	return answerXML(http.StatusOK, answer)
}

func quoted(etag string) string { return `"` + etag + `"` }

// getXML gives an object or its headers, unless If-Match or If-None-Match forbid it.
func (e *emulator) getXML(asked request) reply {
	answer := e.media(asked)
	etag := answer.header.Get("Etag")
	if answer.status >= http.StatusMultipleChoices || etag == "" {
		return answer
	}
	if wanted := asked.header.Get("If-Match"); wanted != "" && wanted != "*" && wanted != etag {
		return conditionNotMet()
	}
	if unwanted := asked.header.Get("If-None-Match"); unwanted == "*" || unwanted == etag {
		return reply{http.StatusNotModified, http.Header{"Etag": {etag}}, nil}
	}
	return answer
}

// putXML stores an object.
func (e *emulator) putXML(asked request) reply {
	return e.putContent(asked, asked.body)
}

func (e *emulator) putContent(asked request, content []byte) reply {
	if wrong := e.writable(asked, asked.bucket, asked.object); wrong != nil {
		return *wrong
	}
	path := "/upload/storage/v1/b/" + url.PathEscape(asked.bucket) + "/o"
	query := url.Values{"uploadType": {"media"}, "name": {asked.object}}
	query.Set("contentEncoding", asked.header.Get("Content-Encoding"))
	asked.header.Del("Content-Encoding") // fake-gcs-server would take it for the encoding of the request
	if answer := e.forward(asked, http.MethodPost, path, query, content); answer.status != http.StatusOK {
		return answer
	}
	return e.stored(asked)
}

// stored answers with the headers of the object that was written.
func (e *emulator) stored(asked request) reply {
	object, err := e.store.GetObjectStreaming(asked.bucket, asked.object)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return reply{http.StatusOK, http.Header{
		"Etag":                  {quoted(object.Etag)},
		"X-Goog-Generation":     {strconv.FormatInt(object.Generation, 10)},
		"X-Goog-Metageneration": {metageneration},
		"X-Goog-Hash":           {"crc32c=" + object.Crc32c, "md5=" + object.Md5Hash},
		"Last-Modified":         {object.Updated.UTC().Format(http.TimeFormat)},
	}, nil}
}

// copyXML copies the object that the header names as bucket/object, escaped (documentation: "PUT Object").
func (e *emulator) copyXML(asked request) reply {
	bucket, name, found := strings.Cut(strings.TrimPrefix(asked.header.Get("X-Goog-Copy-Source"), "/"), "/")
	copied := asked
	if err := copied.unescape(name, ""); err != nil || !found {
		return failure(http.StatusBadRequest, "x-goog-copy-source must be BUCKET/OBJECT, escaped")
	}
	copied.bucket, copied.toBucket, copied.to, copied.body = bucket, asked.bucket, asked.object, nil
	if answer := e.copy(copied); answer.status != http.StatusOK {
		return answer
	}
	answer := e.stored(asked)
	document := answerXML(http.StatusOK, struct {
		XMLName xml.Name `xml:"CopyObjectResult"`
		ETag    string
	}{ETag: answer.header.Get("Etag")})
	answer.header.Set("Content-Type", document.header.Get("Content-Type"))
	answer.body = document.body
	return answer
}

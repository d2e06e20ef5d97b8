package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
)

// upload stores an object from one request, or opens, continues or cancels a resumable upload.
func (e *emulator) upload(asked request) reply {
	if id := asked.query.Get("upload_id"); id != "" {
		return e.resume(asked, id)
	}
	name := asked.query.Get("name")
	var err error
	switch asked.query.Get("uploadType") {
	case "media":
	case "multipart":
		if name == "" {
			name, err = nameInMultipart(asked)
		}
	case "resumable":
		return e.openResumable(asked, name)
	default:
		return failure(http.StatusBadRequest, "uploadType must be media, multipart or resumable")
	}
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	if wrong := e.writable(asked, asked.bucket, name); wrong != nil {
		return *wrong
	}
	if answer := e.forwardAsSent(asked); answer.status != http.StatusOK {
		return answer
	}
	return e.describe(asked, asked.bucket, name)
}

func nameInMultipart(asked request) (string, error) {
	_, parameters, err := mime.ParseMediaType(asked.header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	part, err := multipart.NewReader(bytes.NewReader(asked.body), parameters["boundary"]).NextPart()
	if err != nil {
		return "", err
	}
	var metadata struct {
		Name string `json:"name"`
	}
	err = json.NewDecoder(part).Decode(&metadata)
	return metadata.Name, err
}

// resumable is an upload in several requests (documentation: "Perform resumable uploads"). fake-gcs-server takes a
// question for the state of an upload for its end, and stores a repeated chunk twice; so it is done here.
type resumable struct {
	opened   request
	name     string
	metadata map[string]any
	data     []byte
	result   *reply // once it has ended
}

func (e *emulator) openResumable(asked request, name string) reply {
	if missing := e.checkBucket(asked.bucket); missing != nil {
		return *missing
	}
	metadata := map[string]any{}
	if len(asked.body) > 0 {
		if err := json.Unmarshal(asked.body, &metadata); err != nil {
			return failure(http.StatusBadRequest, err.Error())
		}
	}
	if inBody, ok := metadata["name"].(string); ok && name == "" {
		name = inBody
	}
	if wrong := e.writable(asked, asked.bucket, name); wrong != nil {
		return *wrong
	}
	metadata["name"] = name
	id := e.next("upload")
	e.resumables[id] = &resumable{opened: asked, name: name, metadata: metadata}
	location := fmt.Sprintf("http://%s/upload/storage/v1/b/%s/o?uploadType=resumable&upload_id=%s",
		asked.host, url.PathEscape(asked.bucket), id)
	return reply{http.StatusOK, http.Header{"Location": {location}, "X-Guploader-Uploadid": {id}}, nil}
}

// resume takes in a chunk, or tells how much has arrived.
func (e *emulator) resume(asked request, id string) reply {
	session, known := e.resumables[id]
	if !known {
		return failure(http.StatusNotFound, "There is no upload "+id)
	}
	if asked.method == http.MethodDelete {
		delete(e.resumables, id)
		return reply{status: 499, header: http.Header{}}
	}
	if session.result != nil {
		return *session.result
	}
	ended, err := session.take(asked.header.Get("Content-Range"), asked.body)
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	if ended {
		answer := e.endResumable(session)
		session.result = &answer
		return answer
	}
	answer := reply{http.StatusPermanentRedirect, http.Header{}, nil}
	if len(session.data) > 0 {
		answer.header.Set("Range", fmt.Sprintf("bytes=0-%d", len(session.data)-1))
	}
	if asked.header.Get("X-Guploader-No-308") != "" {
		answer.status = http.StatusOK
		answer.header.Set("X-Http-Status-Code-Override", "308")
	}
	return answer
}

// take adds the bytes that are new and says whether the upload has come to its end. A range is `bytes FIRST-LAST/TOTAL`
// with `*` for what is not known, or `bytes */TOTAL` to ask for the state.
func (u *resumable) take(contentRange string, body []byte) (bool, error) {
	if contentRange == "" {
		u.data = append(u.data, body...)
		return true, nil
	}
	span, total, ok := strings.Cut(strings.TrimPrefix(contentRange, "bytes "), "/")
	first, last, hasSpan := strings.Cut(span, "-")
	if !ok || (!hasSpan && span != "*") {
		return false, fmt.Errorf("invalid Content-Range: %s", contentRange)
	}
	if hasSpan {
		start, err := strconv.Atoi(first)
		if err != nil || start < 0 || start > len(u.data) {
			return false, fmt.Errorf("invalid Content-Range: %s; %d bytes have arrived", contentRange, len(u.data))
		}
		if again := len(u.data) - start; again < len(body) {
			u.data = append(u.data, body[again:]...)
		}
	}
	return total == strconv.Itoa(len(u.data)) || (last == "*" && total == "*"), nil
}

// endResumable stores what has arrived, as an upload in one request.
func (e *emulator) endResumable(session *resumable) reply {
	asked := session.opened
	if wrong := e.writable(asked, asked.bucket, session.name); wrong != nil {
		return *wrong
	}
	contentType, _ := session.metadata["contentType"].(string)
	for _, other := range []string{asked.header.Get("X-Upload-Content-Type"), "application/octet-stream"} {
		if contentType == "" {
			contentType = other
		}
	}
	metadata, err := json.Marshal(session.metadata)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, part := range []struct {
		contentType string
		content     []byte
	}{{"application/json", metadata}, {contentType, session.data}} {
		// Writing to a buffer does not fail.
		writer, _ := form.CreatePart(textproto.MIMEHeader{"Content-Type": {part.contentType}})
		writer.Write(part.content)
	}
	form.Close()
	asked.query.Set("uploadType", "multipart")
	asked.header.Set("Content-Type", "multipart/related; boundary="+form.Boundary())
	asked.body = body.Bytes()
	session.data = nil
	return e.upload(asked)
}

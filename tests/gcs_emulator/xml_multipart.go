package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// multipartUpload collects parts (documentation: "XML API multipart uploads").
type multipartUpload struct {
	opened request
	parts  map[int][]byte
	etags  map[int]string
}

func (e *emulator) multipartXML(asked request) reply {
	if asked.query.Has("uploads") {
		return e.openMultipart(asked)
	}
	id := asked.query.Get("uploadId")
	upload, known := e.multiparts[id]
	if !known || upload.opened.bucket != asked.bucket || upload.opened.object != asked.object {
		return failure(http.StatusNotFound, "There is no upload "+id)
	}
	switch asked.method {
	case http.MethodPut:
		return upload.take(asked)
	case http.MethodPost:
		return e.completeMultipart(asked, id)
	case http.MethodDelete:
		delete(e.multiparts, id)
		return reply{status: http.StatusNoContent, header: http.Header{}}
	}
	return e.unsupported(asked)
}

func (e *emulator) openMultipart(asked request) reply {
	if missing := e.checkBucket(asked.bucket); missing != nil {
		return *missing
	}
	id := e.next("multipart")
	e.multiparts[id] = &multipartUpload{asked, map[int][]byte{}, map[int]string{}}
	return answerXML(http.StatusOK, struct {
		XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
		Bucket, Key, UploadId string
	}{Bucket: asked.bucket, Key: asked.object, UploadId: id})
}

func (u *multipartUpload) take(asked request) reply {
	part, err := strconv.Atoi(asked.query.Get("partNumber"))
	if err != nil || part < 1 || part > 10000 {
		return failure(http.StatusBadRequest, "partNumber must be 1 to 10000")
	}
	u.parts[part], u.etags[part] = asked.body, quoted(fmt.Sprintf("%s-%d", asked.query.Get("uploadId"), part))
	return reply{http.StatusOK, http.Header{"Etag": {u.etags[part]}}, nil}
}

func (e *emulator) completeMultipart(asked request, id string) reply {
	var order struct {
		Part []struct {
			PartNumber int
			ETag       string
		}
	}
	if err := xml.Unmarshal(asked.body, &order); err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	upload := e.multiparts[id]
	var content bytes.Buffer
	last := 0
	for _, part := range order.Part {
		if part.PartNumber <= last || strings.Trim(part.ETag, `"`) != strings.Trim(upload.etags[part.PartNumber], `"`) {
			return failure(http.StatusBadRequest, fmt.Sprintf("Part %d is out of order or has another ETag", part.PartNumber))
		}
		last = part.PartNumber
		content.Write(upload.parts[last])
	}
	finished := upload.opened
	for name, values := range asked.query {
		finished.query[name] = values // conditions may come with this request
	}
	answer := e.putContent(finished, content.Bytes())
	if answer.status != http.StatusOK {
		return answer
	}
	delete(e.multiparts, id)
	document := answerXML(http.StatusOK, struct {
		XMLName           xml.Name `xml:"CompleteMultipartUploadResult"`
		Bucket, Key, ETag string
	}{Bucket: asked.bucket, Key: asked.object, ETag: answer.header.Get("Etag")})
	answer.header.Set("Content-Type", document.header.Get("Content-Type"))
	answer.body = document.body
	return answer
}

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
)

// batch carries out the requests in a multipart body, each for itself (documentation: "Batch requests").
func (e *emulator) batch(asked request) reply {
	_, parameters, err := mime.ParseMediaType(asked.header.Get("Content-Type"))
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	parts := multipart.NewReader(bytes.NewReader(asked.body), parameters["boundary"])
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for part, err := parts.NextPart(); err == nil; part, err = parts.NextPart() {
		answer := e.inBatch(asked.host, part)
		// Writing to a buffer does not fail.
		writer, _ := form.CreatePart(textproto.MIMEHeader{
			"Content-Type": {"application/http"},
			"Content-ID":   {strings.Replace(part.Header.Get("Content-ID"), "<", "<response-", 1)},
		})
		fmt.Fprintf(writer, "HTTP/1.1 %d %s\r\n", answer.status, http.StatusText(answer.status))
		answer.header.Write(writer)
		fmt.Fprintf(writer, "Content-Length: %d\r\n\r\n%s", len(answer.body), answer.body)
	}
	form.Close()
	header := http.Header{"Content-Type": {"multipart/mixed; boundary=" + form.Boundary()}}
	return reply{http.StatusOK, header, body.Bytes()}
}

func (e *emulator) inBatch(host string, part *multipart.Part) reply {
	inner, err := http.ReadRequest(bufio.NewReader(part))
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	asked, err := read(inner)
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	asked.host = host
	e.counts.add(asked.operation)
	return asked.answer(e, asked)
}

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// emulator answers every request: it decides what is asked, holds the lock from the check of the preconditions to
// the end of the operation, and leaves storing to fake-gcs-server.
type emulator struct {
	store        *fakestorage.Server
	rewriteChunk int64
	counts       counts
	faults       faults

	lock       sync.Mutex // guards store and what follows
	serial     int64
	holds      map[string]holds
	rewrites   map[string]rewrite
	resumables map[string]*resumable
	multiparts map[string]*multipartUpload
}

func newEmulator(rewriteChunk int64, buckets []string) (*emulator, error) {
	store, err := fakestorage.NewServerWithOptions(fakestorage.Options{NoListener: true})
	if err != nil {
		return nil, err
	}
	for _, bucket := range buckets {
		store.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucket})
	}
	return &emulator{
		store:        store,
		rewriteChunk: rewriteChunk,
		holds:        map[string]holds{},
		rewrites:     map[string]rewrite{},
		resumables:   map[string]*resumable{},
		multiparts:   map[string]*multipartUpload{},
	}, nil
}

// request is what an HTTP request asks for. Object names are taken from the path as it was sent, before anything
// cleans or decodes it.
type request struct {
	operation string // the class it is counted in
	xml       bool   // of the XML API
	answer    func(*emulator, request) reply
	method    string
	path      string // as sent, still escaped
	bucket    string
	object    string
	to        string // destination object of a move, copy or rewrite
	toBucket  string
	query     url.Values
	header    http.Header
	host      string
	body      []byte
}

// reply is a whole answer, so that faults can still change it.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (e *emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/_emulator/"); ok {
		e.administer(w, r, name)
		return
	}
	asked, err := read(r)
	if err != nil {
		failure(http.StatusBadRequest, err.Error()).write(w, r.Method)
		return
	}
	e.counts.add(asked.operation)
	fault := e.faults.take(asked)
	fault.apply(w, asked, func() reply { return e.answer(asked) })
}

func (e *emulator) answer(asked request) reply {
	e.lock.Lock()
	defer e.lock.Unlock()
	return asked.answer(e, asked)
}

// read takes in the whole request before any lock is held.
func read(r *http.Request) (request, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return request{}, err
	}
	path, rawQuery, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "http://"+r.Host), "?")
	query, err := url.ParseQuery(rawQuery)
	if err != nil {
		return request{}, err
	}
	asked := request{method: r.Method, path: path, query: query, header: r.Header.Clone(), host: r.Host, body: body}
	if err := asked.route(); err != nil {
		return request{}, err
	}
	if !asked.xml && asked.header.Get("Content-Encoding") == "gzip" {
		err = asked.unzip()
	}
	return asked, err
}

// unzip opens a compressed JSON request, as Google's Java clients send it.
func (r *request) unzip() error {
	unzipped, err := gzip.NewReader(bytes.NewReader(r.body))
	if err != nil {
		return err
	}
	r.body, err = io.ReadAll(unzipped)
	r.header.Del("Content-Encoding")
	return err
}

// forward hands a request to fake-gcs-server. The caller holds the lock.
func (e *emulator) forward(asked request, method, path string, query url.Values, body []byte) reply {
	target := "http://" + asked.host + path + "?" + query.Encode()
	inner, err := http.NewRequest(method, target, bytes.NewReader(body))
	if err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	inner.Header = asked.header
	recorder := httptest.NewRecorder()
	e.store.HTTPHandler().ServeHTTP(recorder, inner)
	answer := reply{recorder.Code, recorder.Header(), recorder.Body.Bytes()}
	if answer.status == http.StatusPreconditionFailed {
		return conditionNotMet()
	}
	return answer
}

func (e *emulator) forwardAsSent(asked request) reply {
	return e.forward(asked, asked.method, asked.path, asked.query, asked.body)
}

// next names the next token or upload.
func (e *emulator) next(kind string) string {
	e.serial++
	return fmt.Sprintf("%s-%d", kind, e.serial)
}

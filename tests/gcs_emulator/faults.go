package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// fault is what shall go wrong with a request. A rule matches by method, by operation (the names of the counts) and
// by a part of the decoded path and query; what is empty matches everything. Of a batch the whole can fail, not a part.
type fault struct {
	Method    string `json:"method"`
	Operation string `json:"operation"`
	Path      string `json:"path"`
	Skip      int    `json:"skip"`  // matching requests to let pass first
	Times     int    `json:"times"` // matching requests to spoil; 1 unless given, -1 for all

	DelaySeconds  float64 `json:"delay_seconds"`   // wait before anything else
	Status        int     `json:"status"`          // answer this instead of carrying out the operation
	Body          string  `json:"body"`            // of that answer; Google's error document unless given
	DropRequest   bool    `json:"drop_request"`    // close the connection instead of carrying out the operation
	DropReply     bool    `json:"drop_reply"`      // carry out the operation and close the connection unanswered
	CutAfterBytes *int    `json:"cut_after_bytes"` // close the connection within the body of the answer
	Corrupt       bool    `json:"corrupt"`         // change one byte of the body of the answer
}

type faults struct {
	lock  sync.Mutex
	rules []*fault
}

// add takes rules from JSON: one, or a list.
func (f *faults) add(document []byte) error {
	var rules []*fault
	if !strings.HasPrefix(strings.TrimSpace(string(document)), "[") {
		document = []byte("[" + string(document) + "]")
	}
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&rules); err != nil {
		return err
	}
	for _, rule := range rules {
		if rule.Times == 0 {
			rule.Times = 1
		}
	}
	f.lock.Lock()
	defer f.lock.Unlock()
	f.rules = append(f.rules, rules...)
	return nil
}

func (f *faults) clear() {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.rules = nil
}

// take gives the first rule that matches and is not used up; without one, a fault that does nothing.
func (f *faults) take(asked request) fault {
	f.lock.Lock()
	defer f.lock.Unlock()
	for _, rule := range f.rules {
		if rule.Times == 0 || !rule.matches(asked) {
			continue
		}
		if rule.Skip > 0 {
			rule.Skip--
			continue
		}
		rule.Times--
		return *rule
	}
	return fault{}
}

func (f *fault) matches(asked request) bool {
	address, err := url.PathUnescape(asked.path)
	if err != nil {
		address = asked.path
	}
	return (f.Method == "" || f.Method == asked.method) &&
		(f.Operation == "" || f.Operation == asked.operation) &&
		strings.Contains(address+"?"+asked.query.Encode(), f.Path)
}

func (f *fault) apply(w http.ResponseWriter, asked request, operation func() reply) {
	time.Sleep(time.Duration(f.DelaySeconds * float64(time.Second)))
	if f.DropRequest {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	var answer reply
	if f.Status != 0 {
		answer = failure(f.Status, "A fault that a test asked for.")
		if f.Body != "" {
			answer.body = []byte(f.Body)
		}
	} else {
		answer = operation()
	}
	if f.DropReply {
		panic(http.ErrAbortHandler)
	}
	if f.Corrupt && len(answer.body) > 0 {
		answer.body = append([]byte(nil), answer.body...)
		answer.body[len(answer.body)/2] ^= 1
	}
	if f.CutAfterBytes != nil && *f.CutAfterBytes < len(answer.body) {
		answer.cut(w, *f.CutAfterBytes)
	}
	answer.write(w, asked.method)
}

// cut announces the whole body and sends a part of it.
func (r reply) cut(w http.ResponseWriter, size int) {
	whole := len(r.body)
	r.body = r.body[:size]
	r.send(w, whole)
	http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

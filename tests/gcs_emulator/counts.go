package main

import (
	"io"
	"maps"
	"net/http"
	"sync"
)

// operations that are counted, in both APIs. A resumable or multipart upload counts each of its requests,
// a batch itself and its parts.
var operations = []string{
	"acl", "batch", "bucket", "compose", "copy", "delete", "list", "media", "metadata", "move", "patch", "rewrite", "upload",
}

type counts struct {
	lock sync.Mutex
	of   map[string]int
}

func (c *counts) add(operation string) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[operation]++
}

func (c *counts) all() map[string]int {
	c.lock.Lock()
	defer c.lock.Unlock()
	all := map[string]int{}
	for _, operation := range operations {
		all[operation] = 0
	}
	maps.Copy(all, c.of)
	return all
}

func (c *counts) reset() {
	c.lock.Lock()
	defer c.lock.Unlock()
	c.of = nil
}

// administer answers what tests ask of the emulator itself.
func (e *emulator) administer(w http.ResponseWriter, r *http.Request, name string) {
	answer := answerJSON(http.StatusOK, map[string]any{})
	switch r.Method + " " + name {
	case "GET counts":
		answer = answerJSON(http.StatusOK, e.counts.all())
	case "DELETE counts":
		e.counts.reset()
	case "DELETE faults":
		e.faults.clear()
	case "POST faults":
		document, err := io.ReadAll(r.Body)
		if err == nil {
			err = e.faults.add(document)
		}
		if err != nil {
			answer = failure(http.StatusBadRequest, err.Error())
		}
	default:
		answer = failure(http.StatusNotFound, "There is no "+r.Method+" "+r.URL.Path)
	}
	answer.write(w, r.Method)
}

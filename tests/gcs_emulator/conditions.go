package main

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// conditions of a request on one object (documentation: "Request preconditions").
type conditions struct {
	match, notMatch *int64
}

// number reads an int64 from a parameter that may be missing.
func number(text string) (*int64, *reply) {
	if text == "" {
		return nil, nil
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		wrong := failure(http.StatusBadRequest, "Invalid value: "+text)
		return nil, &wrong
	}
	return &value, nil
}

// conditionsOf reads the conditions on the object ("Generation") or on the source ("SourceGeneration") of a request.
func conditionsOf(asked request, on string) (c conditions, wrong *reply) {
	for name := range asked.query {
		if strings.HasPrefix(name, "if") && strings.Contains(strings.ToLower(name), "metageneration") {
			refused := failure(http.StatusBadRequest, name+" is not supported by this emulator")
			return c, &refused
		}
	}
	if c.match, wrong = number(asked.query.Get("if" + on + "Match")); wrong != nil {
		return c, wrong
	}
	c.notMatch, wrong = number(asked.query.Get("if" + on + "NotMatch"))
	return c, wrong
}

// hold for the live generation, which is 0 where there is no object.
func (c conditions) hold(generation int64) bool {
	return (c.match == nil || *c.match == generation) && (c.notMatch == nil || *c.notMatch != generation)
}

// generation of the live object; 0 without one.
func (e *emulator) generation(bucket, name string) int64 {
	object, err := e.store.GetObjectStreaming(bucket, name)
	if err != nil {
		return 0
	}
	return object.Generation
}

func (e *emulator) checkBucket(bucket string) *reply {
	if _, err := e.store.Backend().GetBucket(bucket); err != nil {
		missing := failure(http.StatusNotFound, "The specified bucket does not exist.")
		return &missing
	}
	return nil
}

// existing finds the object that a request works on: 404 when it is missing or has another generation than the
// parameter `wanted` says, 412 when it does not meet the conditions.
func (e *emulator) existing(asked request, bucket, name, wanted, on string) (fakestorage.StreamingObject, *reply) {
	var none fakestorage.StreamingObject
	if missing := e.checkBucket(bucket); missing != nil {
		return none, missing
	}
	generation, wrong := number(asked.query.Get(wanted))
	if wrong != nil {
		return none, wrong
	}
	demanded, wrong := conditionsOf(asked, on)
	if wrong != nil {
		return none, wrong
	}
	object, err := e.store.GetObjectStreaming(bucket, name)
	if err != nil || (generation != nil && *generation != object.Generation) {
		missing := noSuchObject(bucket, name)
		return none, &missing
	}
	if !demanded.hold(object.Generation) {
		unmet := conditionNotMet()
		if demanded.match == nil && (asked.method == http.MethodGet || asked.method == http.MethodHead) {
			unmet = reply{status: http.StatusNotModified}
		}
		return none, &unmet
	}
	return object, nil
}

// writable checks whether a request may write an object of this name now.
func (e *emulator) writable(asked request, bucket, name string) *reply {
	if missing := e.checkBucket(bucket); missing != nil {
		return missing
	}
	if err := checkName(name); err != nil {
		invalid := failure(http.StatusBadRequest, err.Error())
		return &invalid
	}
	demanded, wrong := conditionsOf(asked, "Generation")
	if wrong != nil {
		return wrong
	}
	if !demanded.hold(e.generation(bucket, name)) {
		unmet := conditionNotMet()
		return &unmet
	}
	return e.free(bucket, name)
}

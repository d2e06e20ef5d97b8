package main

import (
	"encoding/json"
	"net/http"
)

// buckets are created, described and deleted by fake-gcs-server; they never keep versions.
func (e *emulator) buckets(asked request) reply {
	var wanted struct {
		Versioning struct {
			Enabled bool `json:"enabled"`
		} `json:"versioning"`
	}
	if len(asked.body) > 0 {
		if err := json.Unmarshal(asked.body, &wanted); err != nil {
			return failure(http.StatusBadRequest, err.Error())
		}
	}
	if wanted.Versioning.Enabled {
		return failure(http.StatusBadRequest, "versioning is not supported by this emulator")
	}
	if _, wrong := conditionsOf(asked, "Generation"); wrong != nil {
		return *wrong
	}
	return e.forwardAsSent(asked)
}

package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// Metadata are not versioned here: a patch keeps the metageneration, and conditions on it are refused.
const metageneration = "1"

const timeFormat = "2006-01-02T15:04:05.000000Z"

func objectPath(bucket, name string) string {
	return "/b/" + url.PathEscape(bucket) + "/o/" + url.PathEscape(name)
}

// resource describes an object (documentation: "Objects", resource representations).
func (e *emulator) resource(asked request, object fakestorage.ObjectAttrs) map[string]any {
	base, path := "http://"+asked.host, objectPath(object.BucketName, object.Name)
	described := map[string]any{
		"kind":           "storage#object",
		"id":             object.BucketName + "/" + object.Name + "/" + strconv.FormatInt(object.Generation, 10),
		"bucket":         object.BucketName,
		"name":           object.Name,
		"generation":     strconv.FormatInt(object.Generation, 10),
		"metageneration": metageneration,
		"size":           strconv.FormatInt(object.Size, 10),
		"crc32c":         object.Crc32c,
		"md5Hash":        object.Md5Hash,
		"etag":           object.Etag,
		"storageClass":   object.StorageClass,
		"timeCreated":    object.Created.UTC().Format(timeFormat),
		"updated":        object.Updated.UTC().Format(timeFormat),
		"selfLink":       base + "/storage/v1" + path,
		"mediaLink":      base + "/download/storage/v1" + path + "?alt=media",
	}
	for field, value := range map[string]string{
		"contentType":        object.ContentType,
		"contentEncoding":    object.ContentEncoding,
		"contentDisposition": object.ContentDisposition,
		"contentLanguage":    object.ContentLanguage,
		"cacheControl":       object.CacheControl,
	} {
		if value != "" {
			described[field] = value
		}
	}
	if held := e.holds[path]; held.any() {
		described["temporaryHold"], described["eventBasedHold"] = held.Temporary, held.EventBased
	}
	if len(object.Metadata) > 0 {
		described["metadata"] = object.Metadata
	}
	if !object.CustomTime.IsZero() {
		described["customTime"] = object.CustomTime.UTC().Format(timeFormat)
	}
	return described
}

// describe answers with the object as it is stored now.
func (e *emulator) describe(asked request, bucket, name string) reply {
	object, err := e.store.GetObjectStreaming(bucket, name)
	if err != nil {
		return noSuchObject(bucket, name)
	}
	return answerJSON(http.StatusOK, e.resource(asked, object.ObjectAttrs))
}

func (e *emulator) metadata(asked request) reply {
	if _, wrong := e.existing(asked, asked.bucket, asked.object, "generation", "Generation"); wrong != nil {
		return *wrong
	}
	return e.describe(asked, asked.bucket, asked.object)
}

func (e *emulator) media(asked request) reply {
	object, wrong := e.existing(asked, asked.bucket, asked.object, "generation", "Generation")
	if wrong != nil {
		return *wrong
	}
	path := "/download/storage/v1" + objectPath(asked.bucket, asked.object)
	answer := e.forward(asked, asked.method, path, asked.query, nil)
	answer.header.Set("X-Goog-Metageneration", metageneration)
	answer.header.Set("X-Goog-Storage-Class", object.StorageClass)
	return answer
}

func (e *emulator) delete(asked request) reply {
	if _, wrong := e.existing(asked, asked.bucket, asked.object, "generation", "Generation"); wrong != nil {
		return *wrong
	}
	if held := e.free(asked.bucket, asked.object); held != nil {
		return *held
	}
	if err := e.store.Backend().DeleteObject(asked.bucket, asked.object); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return reply{status: http.StatusNoContent, header: http.Header{}}
}

func (e *emulator) patch(asked request) reply {
	if _, wrong := e.existing(asked, asked.bucket, asked.object, "generation", "Generation"); wrong != nil {
		return *wrong
	}
	if err := e.setHolds(asked); err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	if answer := e.forwardAsSent(asked); answer.status != http.StatusOK {
		return answer
	}
	return e.describe(asked, asked.bucket, asked.object)
}

// move renames an object (documentation: "Objects: move"): the destination has the content and metadata of the
// source, a new generation and new times. The lock makes it atomic.
func (e *emulator) move(asked request) reply {
	source, wrong := e.existing(asked, asked.bucket, asked.object, "sourceGeneration", "SourceGeneration")
	if wrong != nil {
		return *wrong
	}
	if asked.object == asked.to {
		return failure(http.StatusBadRequest, "The source and destination must have different object names.")
	}
	if wrong = e.writable(asked, asked.bucket, asked.to); wrong == nil {
		wrong = e.free(asked.bucket, asked.object)
	}
	if wrong != nil {
		return *wrong
	}
	moved := source
	moved.Name, moved.Generation, moved.Created, moved.Updated = asked.to, 0, time.Time{}, time.Time{}
	if err := e.store.CreateObjectStreaming(moved); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	if err := e.store.Backend().DeleteObject(asked.bucket, asked.object); err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return e.describe(asked, asked.bucket, asked.to)
}

func (e *emulator) copy(asked request) reply {
	_, wrong := e.existing(asked, asked.bucket, asked.object, "sourceGeneration", "SourceGeneration")
	if wrong == nil {
		wrong = e.writable(asked, asked.toBucket, asked.to)
	}
	if wrong != nil {
		return *wrong
	}
	path := "/storage/v1" + objectPath(asked.bucket, asked.object) + "/copyTo" + objectPath(asked.toBucket, asked.to)
	if answer := e.forward(asked, http.MethodPost, path, asked.query, asked.body); answer.status != http.StatusOK {
		return answer
	}
	return e.describe(asked, asked.toBucket, asked.to)
}

// rewrite is a copy that may take several calls; the token says how far it has come.
type rewrite struct {
	source      string
	destination string
	generation  int64 // of the source: another one makes the token worthless
	written     int64
}

// rewrite copies at most as many bytes a call as the emulator or the caller wants (documentation: "Objects: rewrite").
func (e *emulator) rewrite(asked request) reply {
	source, wrong := e.existing(asked, asked.bucket, asked.object, "sourceGeneration", "SourceGeneration")
	if wrong == nil {
		wrong = e.writable(asked, asked.toBucket, asked.to)
	}
	if wrong != nil {
		return *wrong
	}
	progress := rewrite{
		source:      objectPath(asked.bucket, asked.object),
		destination: objectPath(asked.toBucket, asked.to),
		generation:  source.Generation,
	}
	if token := asked.query.Get("rewriteToken"); token != "" {
		known, found := e.rewrites[token]
		progress.written = known.written
		if !found || known != progress {
			return failure(http.StatusBadRequest, "The rewrite token does not belong to this rewrite.")
		}
		delete(e.rewrites, token)
	}
	chunk, wrong := e.chunk(asked)
	if wrong != nil {
		return *wrong
	}
	if progress.written += chunk; chunk > 0 && progress.written < source.Size {
		token := e.next("rewrite")
		e.rewrites[token] = progress
		return answerJSON(http.StatusOK, map[string]any{
			"kind":                "storage#rewriteResponse",
			"done":                false,
			"rewriteToken":        token,
			"objectSize":          strconv.FormatInt(source.Size, 10),
			"totalBytesRewritten": strconv.FormatInt(progress.written, 10),
		})
	}
	return e.finishRewrite(asked)
}

func (e *emulator) finishRewrite(asked request) reply {
	answer := e.copy(asked)
	if answer.status != http.StatusOK {
		return answer
	}
	written, err := e.store.GetObjectStreaming(asked.toBucket, asked.to)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	size := strconv.FormatInt(written.Size, 10)
	return answerJSON(http.StatusOK, map[string]any{
		"kind":                "storage#rewriteResponse",
		"done":                true,
		"objectSize":          size,
		"totalBytesRewritten": size,
		"resource":            e.resource(asked, written.ObjectAttrs),
	})
}

// chunk is the number of bytes that this call may copy; 0 is all.
func (e *emulator) chunk(asked request) (int64, *reply) {
	wanted, wrong := number(asked.query.Get("maxBytesRewrittenPerCall"))
	if wrong != nil || wanted == nil {
		return e.rewriteChunk, wrong
	}
	if e.rewriteChunk == 0 {
		return *wanted, nil
	}
	return min(*wanted, e.rewriteChunk), nil
}

// compose joins objects of one bucket (documentation: "Objects: compose").
func (e *emulator) compose(asked request) reply {
	var order struct {
		SourceObjects []struct {
			Name                string      `json:"name"`
			Generation          json.Number `json:"generation"` // which may be quoted
			ObjectPreconditions struct {
				IfGenerationMatch json.Number `json:"ifGenerationMatch"`
			} `json:"objectPreconditions"`
		} `json:"sourceObjects"`
	}
	if err := json.Unmarshal(asked.body, &order); err != nil {
		return failure(http.StatusBadRequest, err.Error())
	}
	for _, source := range order.SourceObjects {
		demands := asked
		demands.query = url.Values{
			"generation":        {source.Generation.String()},
			"ifGenerationMatch": {source.ObjectPreconditions.IfGenerationMatch.String()},
		}
		if _, wrong := e.existing(demands, asked.bucket, source.Name, "generation", "Generation"); wrong != nil {
			return *wrong
		}
	}
	if wrong := e.writable(asked, asked.bucket, asked.to); wrong != nil {
		return *wrong
	}
	if answer := e.forwardAsSent(asked); answer.status != http.StatusOK {
		return answer
	}
	return e.describe(asked, asked.bucket, asked.to)
}

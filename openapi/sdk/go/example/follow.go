package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"nextscale.dev/sdk/nextscale"
)

const (
	maxBreaks = 5
	pause     = time.Second
)

// event is one message of a stream of server-sent events.
type event struct {
	id, name string
	data     []byte
}

// readEvent reads the next message. Comments, and messages without data, are passed over.
func readEvent(stream *bufio.Reader) (event, error) {
	var read event
	var data []string
	for {
		line, err := stream.ReadString('\n')
		if err != nil {
			return event{}, err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" && data != nil {
			read.data = []byte(strings.Join(data, "\n"))
			return read, nil
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			read.id = value
		case "event":
			read.name = value
		case "data":
			data = append(data, value)
		}
	}
}

// follower is what is known over all connections.
type follower struct {
	client *nextscale.ClientWithResponses
	id     string
	last   *string
	shown  map[[2]int]bool
	show   func(nextscale.Preview) error
}

// follow shows each preview once, and returns the generation as it ended. A stream that breaks goes on after its last event.
func follow(ctx context.Context, client *nextscale.ClientWithResponses, id string, show func(nextscale.Preview) error) (*nextscale.Generation, error) {
	f := &follower{client: client, id: id, shown: map[[2]int]bool{}, show: show}
	for breaks := 0; ; breaks++ {
		before := f.last
		ended, err := f.connection(ctx)
		if ended != nil || err != nil {
			return ended, err
		}
		if f.last != before {
			breaks = 0
		}
		if breaks == maxBreaks {
			return nil, fmt.Errorf("the stream of %s broke %d times without an event", id, breaks)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// connection takes the events of one connection. It returns neither generation nor error where that has broken.
func (f *follower) connection(ctx context.Context) (*nextscale.Generation, error) {
	params := &nextscale.GetGenerationEventsParams{LastEventId: f.last}
	answer, err := f.client.GetGenerationEvents(ctx, f.id, params)
	if err != nil {
		return nil, ctx.Err()
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, refusal(answer)
	}
	stream := bufio.NewReader(answer.Body)
	for {
		event, err := readEvent(stream)
		if err != nil {
			return nil, ctx.Err()
		}
		ended, err := f.take(event)
		if ended != nil || err != nil {
			return ended, err
		}
		if event.id != "" {
			f.last = &event.id
		}
	}
}

// refusal is the error of an answer that is no stream.
func refusal(answer *http.Response) error {
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	var told nextscale.Problem
	if json.Unmarshal(body, &told) != nil || told.Code == "" {
		return problem(answer.Status, nil)
	}
	return problem(answer.Status, &told)
}

// take returns the generation with the event that is its end. Events of later releases are passed over.
func (f *follower) take(event event) (*nextscale.Generation, error) {
	switch event.name {
	case "snapshot", "end":
		var generation nextscale.Generation
		if err := json.Unmarshal(event.data, &generation); err != nil {
			return nil, err
		}
		if event.name == "end" {
			return &generation, nil
		}
		// What was made before the stream began is here, and comes in no event of its own.
		previews := generation.Previews
		slices.SortStableFunc(previews, func(a, b nextscale.Preview) int { return cmp.Compare(a.Scale, b.Scale) })
		return nil, f.showNew(previews...)
	case "preview":
		var preview nextscale.Preview
		if err := json.Unmarshal(event.data, &preview); err != nil {
			return nil, err
		}
		return nil, f.showNew(preview)
	}
	return nil, nil
}

func (f *follower) showNew(previews ...nextscale.Preview) error {
	for _, preview := range previews {
		place := [2]int{preview.Index, preview.Scale}
		if f.shown[place] {
			continue
		}
		f.shown[place] = true
		if err := f.show(preview); err != nil {
			return err
		}
	}
	return nil
}

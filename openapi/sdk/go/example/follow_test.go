package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"nextscale.dev/sdk/nextscale"
)

const id = "gen_4s5k2nq7yb6dm3xw2ehqj5ztla"

// serve answers connections one after the other, and returns a client and the ids it was asked to go on after.
func serve(t *testing.T, connections ...string) (*nextscale.ClientWithResponses, *[]string) {
	asked := []string{}
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		stream := connections[min(len(asked), len(connections)-1)]
		asked = append(asked, request.Header.Get("Last-Event-ID"))
		if strings.HasPrefix(stream, "{") {
			answer.Header().Set("Content-Type", "application/problem+json")
			answer.WriteHeader(http.StatusNotFound)
		}
		io.WriteString(answer, stream)
	}))
	t.Cleanup(server.Close)
	client, err := nextscale.NewClientWithResponses(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return client, &asked
}

func message(id, name, data string) string {
	return fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", id, name, data)
}

func previewsOf(places ...[2]int) string {
	var all []string
	for _, place := range places {
		all = append(all, fmt.Sprintf(`{"index":%d,"scale":%d}`, place[0], place[1]))
	}
	return strings.Join(all, ",")
}

func TestPreviewsOfTheSnapshotAreShownAndEachOnce(t *testing.T) {
	held := func(previews string) string { return `{"status":"running","previews":[` + previews + `]}` }
	first := "retry: 2000\n\n: comment\n\n" + message("1", "snapshot", held(previewsOf([2]int{0, 4}, [2]int{0, 2}))) +
		message("2", "confetti", "{}") + message("3", "preview", previewsOf([2]int{1, 4})) + "id: 4\nevent: prev"
	second := message("9", "snapshot", held(previewsOf([2]int{0, 2}, [2]int{0, 5}))) +
		message("10", "preview", previewsOf([2]int{0, 5})) + message("11", "end", `{"id":"`+id+`","status":"succeeded"}`)
	client, asked := serve(t, first, second)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var shown [][2]int
	ended, err := follow(ctx, client, id, func(preview nextscale.Preview) error {
		shown = append(shown, [2]int{preview.Index, preview.Scale})
		return nil
	})
	if err != nil || ended.Status != nextscale.GenerationStatusSucceeded {
		t.Fatal(ended, err)
	}
	if want := [][2]int{{0, 2}, {0, 4}, {1, 4}, {0, 5}}; !reflect.DeepEqual(shown, want) {
		t.Errorf("it showed %v, not %v", shown, want)
	}
	if want := []string{"", "3"}; !reflect.DeepEqual(*asked, want) {
		t.Errorf("it went on after %q, not %q", *asked, want)
	}
}

func TestARefusalEndsIt(t *testing.T) {
	client, asked := serve(t, `{"code":"generation_not_found","detail":"There is none."}`)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, err := follow(ctx, client, id, nil)
	if err == nil || err.Error() != "generation_not_found: There is none." || len(*asked) != 1 {
		t.Error(err, *asked)
	}
}

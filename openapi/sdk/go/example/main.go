// Command example asks a server for a picture, polls until it is there, and saves it. With -previews it follows the events in
// place of polling, and saves each preview beside the picture.
//
//	NEXTSCALE_URL=http://127.0.0.1:8080 NEXTSCALE_API_KEY=ns_… go run ./example -previews fox fox.png
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"nextscale.dev/sdk/nextscale"
)

// connect returns a client of the server that the environment names.
func connect() (*nextscale.ClientWithResponses, error) {
	url := os.Getenv("NEXTSCALE_URL")
	if url == "" {
		url = "http://127.0.0.1:8080"
	}
	authorize := func(_ context.Context, request *http.Request) error {
		if key := os.Getenv("NEXTSCALE_API_KEY"); key != "" {
			request.Header.Set("Authorization", "Bearer "+key)
		}
		return nil
	}
	return nextscale.NewClientWithResponses(url+"/v1", nextscale.WithRequestEditorFn(authorize))
}

// problem is the error that an answer tells of.
func problem(status string, problem *nextscale.Problem) error {
	if problem == nil {
		return errors.New(status)
	}
	return fmt.Errorf("%s: %s", problem.Code, problem.Detail)
}

// generate asks for one picture of a class. Sending it again with the same key makes no second one.
func generate(ctx context.Context, client *nextscale.ClientWithResponses, class, previews string) (*nextscale.Generation, error) {
	key := uuid.NewString()
	params := &nextscale.CreateGenerationParams{IdempotencyKey: &key}
	request := nextscale.GenerateRequest{ClassName: &class, Previews: &nextscale.GenerateRequest_Previews{}}
	if err := request.Previews.FromGenerateRequestPreviews0(nextscale.GenerateRequestPreviews0(previews)); err != nil {
		return nil, err
	}
	answer, err := client.CreateGenerationWithResponse(ctx, params, request)
	if err != nil {
		return nil, err
	}
	// What the key has made may have ended already.
	if answer.JSON200 != nil {
		return answer.JSON200, nil
	}
	if answer.JSON202 == nil {
		return nil, problem(answer.Status(), answer.ApplicationproblemJSONDefault)
	}
	return answer.JSON202, nil
}

// finish polls until the generation has ended; the server holds each request until then, for half a minute at most.
func finish(ctx context.Context, client *nextscale.ClientWithResponses, id string) (*nextscale.Generation, error) {
	wait := 30
	for {
		answer, err := client.GetGenerationWithResponse(ctx, id, &nextscale.GetGenerationParams{Wait: &wait})
		if err != nil {
			return nil, err
		}
		if answer.JSON200 == nil {
			return nil, problem(answer.Status(), answer.ApplicationproblemJSONDefault)
		}
		if answer.JSON200.CompletedAt != nil {
			return answer.JSON200, nil
		}
	}
}

// save fetches what a link leads to. The link carries its own permission: no key is sent.
func save(ctx context.Context, url, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	picture, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(path, picture, 0o644)
}

// made returns the generation once it has ended; with previews, each is saved as it comes.
func made(ctx context.Context, client *nextscale.ClientWithResponses, class, path string, previews bool) (*nextscale.Generation, error) {
	if !previews {
		accepted, err := generate(ctx, client, class, "none")
		if err != nil {
			return nil, err
		}
		return finish(ctx, client, accepted.Id)
	}
	accepted, err := generate(ctx, client, class, "auto")
	if err != nil {
		return nil, err
	}
	return follow(ctx, client, accepted.Id, func(preview nextscale.Preview) error {
		beside := fmt.Sprintf("%s-%d.webp", strings.TrimSuffix(path, filepath.Ext(path)), preview.Scale)
		fmt.Printf("scale %d, in %s\n", preview.Scale, beside)
		return save(ctx, preview.Url, beside)
	})
}

func run(class, path string, previews bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	client, err := connect()
	if err != nil {
		return err
	}
	generation, err := made(ctx, client, class, path, previews)
	if err != nil {
		return err
	}
	if generation.Status != nextscale.GenerationStatusSucceeded {
		return fmt.Errorf("%s ended as %s", generation.Id, generation.Status)
	}
	if err := save(ctx, generation.Outputs[0].Url, path); err != nil {
		return err
	}
	fmt.Printf("%s: seed %d, in %s\n", generation.Id, generation.Outputs[0].Seed, path)
	return nil
}

func main() {
	previews := flag.Bool("previews", false, "save each preview beside the picture")
	flag.Parse()
	if flag.NArg() != 2 {
		log.Fatal("usage: example [-previews] CLASS FILE")
	}
	if err := run(flag.Arg(0), flag.Arg(1), *previews); err != nil {
		log.Fatal(err)
	}
}

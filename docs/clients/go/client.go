// A client of Taizhang from its protos alone: records one thing exactly once, and follows a ledger's events exactly once.
//
//	./generate.sh && go build
//	TAIZHANG_TOKEN=… ./client ADDRESS LEDGER register ORG_ID NAME REGION
//	TAIZHANG_TOKEN=… ./client ADDRESS LEDGER follow RESULTS
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	common "taizhang/client/gen/taizhang/common/v1"
	ledgers "taizhang/client/gen/taizhang/ledger/v1"
	registry "taizhang/client/gen/taizhang/registry/v1"
)

const pause = time.Second

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// A call with its deadline, which is required, and who calls.
func call(limit time.Duration) (context.Context, context.CancelFunc) {
	caller := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+os.Getenv("TAIZHANG_TOKEN"))
	return context.WithTimeout(caller, limit)
}

// Whether the error says nothing about the request itself: it is sent again, as it is, after a while.
func passing(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Canceled:
		return true
	}
	return false
}

// "CODE REASON text for a clerk", and when to try again.
func explain(err error) (string, time.Duration) {
	said, wait := status.Code(err).String(), pause
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			said += " " + detail.Reason
		case *errdetails.LocalizedMessage:
			said += " " + detail.Message
		case *errdetails.RetryInfo:
			wait = detail.RetryDelay.AsDuration()
		}
	}
	return said, wait
}

func register(server *grpc.ClientConn, ledger, org, name, region string) {
	request := &registry.RegisterOrganisationRequest{
		Context: &common.RequestContext{
			// From the thing itself, so that it is the same after a crash of this program as well.
			RequestId:     uuid.NewSHA1(uuid.NameSpaceURL, []byte(ledger+"/organisation/"+org)).String(),
			EffectiveDate: &common.Date{Year: 2020, Month: 1, Day: 1},
			Source:        &common.Source{Kind: common.Source_KIND_FORM},
		},
		Ledger: ledger, OrgId: org, Name: &common.MaskedText{Text: name}, Region: region,
		Kind: registry.OrganisationKind_ORGANISATION_KIND_GOVERNMENT,
	}
	for {
		ctx, cancel := call(10 * time.Second)
		answer, err := registry.NewRegistryServiceClient(server).RegisterOrganisation(ctx, request)
		cancel()
		if err == nil {
			fmt.Printf("seq %d%s\n", answer.Receipt.FirstSeq, map[bool]string{true: " (recorded before)"}[answer.Receipt.Duplicate])
			return
		}
		said, wait := explain(err)
		if !passing(err) {
			log.Fatal("refused: ", said)
		}
		time.Sleep(wait)
	}
}

// One line an event: the last whole line is the place, so that results and place change together.
func follow(server *grpc.ClientConn, ledger, results string) {
	file, err := os.OpenFile(results, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	check(err)
	old, err := os.ReadFile(results)
	check(err)
	whole := old[:bytes.LastIndexByte(old, '\n')+1]
	check(file.Truncate(int64(len(whole)))) // a line that a crash cut is no result
	lines := strings.Split(string(whole), "\n")
	var seq int64
	if len(lines) > 1 {
		_, err = fmt.Sscan(lines[len(lines)-2], &seq)
		check(err)
	}
	for {
		ctx, cancel := call(time.Hour)
		stream, err := ledgers.NewLedgerServiceClient(server).Subscribe(ctx, &ledgers.SubscribeRequest{Ledger: ledger, AfterSeq: seq})
		for err == nil {
			var message *ledgers.SubscribeResponse
			if message, err = stream.Recv(); err != nil {
				break
			}
			for _, event := range message.GetBatch().GetEvents() {
				_, failed := fmt.Fprintf(file, "%d %s %s %x\n", event.Seq, event.Type, event.Subject, event.Payload)
				check(failed)
				seq = event.Seq
			}
		}
		cancel()
		if !passing(err) {
			said, _ := explain(err)
			log.Fatal(said)
		}
		time.Sleep(pause)
	}
}

func main() {
	server, err := grpc.Dial(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	switch ledger, rest := os.Args[2], os.Args[4:]; os.Args[3] {
	case "register":
		register(server, ledger, rest[0], rest[1], rest[2])
	case "follow":
		follow(server, ledger, rest[0])
	}
}

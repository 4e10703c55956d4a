// Follows a clean topic: every event becomes one line of a file. A line says which k and place it was,
// so that results, last k and place change together.
//
//	go run . BOOTSTRAP TOPIC PARTITIONS RESULTS
package main

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	servers, topic, results := os.Args[1], os.Args[2], os.Args[4]
	partitions, err := strconv.Atoi(os.Args[3])
	check(err)
	last, next := map[int32]int64{}, map[int32]kgo.Offset{}
	for p := 0; p < partitions; p++ {
		next[int32(p)] = kgo.NewOffset().At(0)
	}
	file, err := os.OpenFile(results, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	check(err)
	old, err := os.ReadFile(results)
	check(err)
	whole := old[:bytes.LastIndexByte(old, '\n')+1]
	check(file.Truncate(int64(len(whole)))) // a line that a crash cut is no result
	for _, line := range strings.Split(string(whole), "\n") {
		var p int32
		var k, offset int64
		if n, _ := fmt.Sscan(line, &p, &k, &offset); n == 3 {
			last[p], next[p] = k, kgo.NewOffset().At(offset+1)
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(servers, ",")...), kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: next}))
	check(err)
	for {
		fetches := client.PollFetches(context.Background())
		fetches.EachError(func(_ string, _ int32, err error) { check(err) })
		fetches.EachRecord(func(record *kgo.Record) {
			head := map[string]string{}
			for _, header := range record.Headers {
				head[header.Key] = string(header.Value)
			}
			k, _ := strconv.ParseInt(head["ce_k"], 10, 64)
			if k > last[record.Partition]+1 {
				log.Printf("partition %d: k %d after %d; an alarm if it stays so", record.Partition, k, last[record.Partition])
			}
			if k != last[record.Partition]+1 {
				return // a copy, or nothing of ours
			}
			last[record.Partition] = k
			_, err := fmt.Fprintf(file, "%d %d %d %s %s %s %x\n", record.Partition, k, record.Offset,
				head["ce_ledger"], head["ce_seq"], head["ce_type"], record.Value)
			check(err)
			fmt.Println(head["ce_ledger"], head["ce_seq"], head["ce_type"])
		})
	}
}

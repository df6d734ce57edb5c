package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// The perf protocol of the libp2p specifications (perf/perf.md), both sides.
const perfProtocol = "/perf/1.0.0"

type zeros struct{}

func (zeros) Read(into []byte) (int, error) {
	clear(into)
	return len(into), nil
}

func writeZeros(s network.Stream, count uint64) error {
	if _, err := io.CopyN(s, zeros{}, int64(count)); err != nil {
		return err
	}
	return s.CloseWrite()
}

// servePerf reads until the remote closes, then writes as many bytes as its first eight asked for.
func servePerf(s network.Stream) {
	defer s.Close()
	var header [8]byte
	if _, err := io.ReadFull(s, header[:]); err != nil {
		s.Reset()
		return
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		s.Reset()
		return
	}
	if err := writeZeros(s, binary.BigEndian.Uint64(header[:])); err != nil {
		s.Reset()
	}
}

// runPerf ends the upload when the remote answers, with its first byte or with its close: only then has it read everything.
func runPerf(ctx context.Context, h host.Host, id peer.ID, upload, download uint64) (fields, error) {
	s, err := h.NewStream(ctx, id, perfProtocol)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	if deadline, set := ctx.Deadline(); set {
		if err := s.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	if err := binary.Write(s, binary.BigEndian, download); err != nil {
		return nil, err
	}
	if err := writeZeros(s, upload); err != nil {
		return nil, err
	}
	first, err := io.CopyN(io.Discard, s, 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	answered := time.Now()
	rest, err := io.Copy(io.Discard, s)
	if err != nil {
		return nil, err
	}
	if got := uint64(first + rest); got != download {
		return nil, fmt.Errorf("asked for %d bytes and got %d", download, got)
	}
	return fields{
		"uploadSeconds":   answered.Sub(start).Seconds(),
		"downloadSeconds": time.Since(answered).Seconds(),
	}, nil
}

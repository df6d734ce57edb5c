package main

import (
	"context"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
)

// open takes any value, and the first of several is as good as any.
type open struct{}

func (open) Validate(string, []byte) error        { return nil }
func (open) Select(string, [][]byte) (int, error) { return 0, nil }

// start makes a node as these tests need it: TCP, Noise, Yamux, identify, ping, Kademlia, GossipSub and perf. It listens
// last, when all its handlers are there.
func start(ctx context.Context, key crypto.PrivKey, s settings, out *lines) (*node, error) {
	h, err := libp2p.New(
		libp2p.Identity(key),
		libp2p.NoListenAddrs,
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.ResourceManager(&network.NullResourceManager{}),
	)
	if err != nil {
		return nil, err
	}
	n := &node{lines: out, host: h, topics: map[string]*topic{}}
	if err := n.announceConnections(ctx); err != nil {
		return nil, err
	}
	h.SetStreamHandler(perfProtocol, servePerf)
	if n.pubsub, err = pubsub.NewGossipSub(ctx, h, pubsub.WithRawTracer(&meshTracer{lines: out})); err != nil {
		return nil, err
	}
	if s.dht != "off" {
		if n.dht, err = startDht(h, s, out); err != nil {
			return nil, err
		}
	}
	for _, text := range s.listen {
		listening, err := multiaddr.NewMultiaddr(text)
		if err != nil {
			return nil, err
		}
		if err := h.Network().Listen(listening); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func startDht(h host.Host, s settings, out *lines) (*dht.IpfsDHT, error) {
	modes := map[string]dht.ModeOpt{"client": dht.ModeClient, "server": dht.ModeServer, "auto": dht.ModeAutoServer}
	mode, known := modes[s.dht]
	if !known {
		return nil, badArgument("--dht is client, server, auto or off, not %s", s.dht)
	}
	chosen := []dht.Option{
		dht.Mode(mode),
		// Under its own prefix, "/ipfs", the library refuses every namespace but pk and ipns: so the whole id is given, and
		// a prefix that is not used.
		dht.ProtocolPrefix("/unused"),
		dht.V1ProtocolOverride(protocol.ID(s.dhtProtocol)),
	}
	for _, name := range append(texts{"test"}, s.namespaces...) {
		chosen = append(chosen, dht.NamespacedValidator(name, open{}))
	}
	d, err := dht.New(h, chosen...)
	if err != nil {
		return nil, err
	}
	// Nobody is connected yet, so nobody calls these while they are exchanged.
	table := d.RoutingTable()
	added, removed := table.PeerAdded, table.PeerRemoved
	size := 0
	changed := func(by int) {
		if size += by; size == 0 || size == 1 && by == 1 {
			state := map[bool]string{true: "ready", false: "starved"}[size > 0]
			out.event("dht", fields{"state": state, "peers": size, "stashed": 0})
		}
	}
	// Both are called under the lock of the table.
	table.PeerAdded = func(id peer.ID) {
		added(id)
		changed(1)
	}
	table.PeerRemoved = func(id peer.ID) {
		removed(id)
		changed(-1)
	}
	return d, nil
}

func (n *node) announceConnections(ctx context.Context) error {
	say := func(name string) func(network.Network, network.Conn) {
		return func(_ network.Network, c network.Conn) {
			direction := map[bool]string{true: "in", false: "out"}[c.Stat().Direction == network.DirInbound]
			n.lines.event(name, fields{
				"peer":      c.RemotePeer().String(),
				"addr":      c.RemoteMultiaddr().String() + "/p2p/" + c.RemotePeer().String(),
				"direction": direction,
			})
		}
	}
	n.host.Network().Notify(&network.NotifyBundle{ConnectedF: say("connected"), DisconnectedF: say("disconnected")})
	identified, err := n.host.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted))
	if err != nil {
		return err
	}
	go func() {
		defer identified.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case next, more := <-identified.Out():
				if !more {
					return
				}
				e := next.(event.EvtPeerIdentificationCompleted)
				n.lines.event("identified", fields{
					"peer": e.Peer.String(), "agent": e.AgentVersion, "protocols": e.Protocols,
				})
			}
		}
	}()
	return nil
}

// meshTracer tells of the mesh, which shows from outside only here: the tests wait for it before they publish.
type meshTracer struct{ lines *lines }

func (t *meshTracer) mesh(id peer.ID, topic string, grafted bool) {
	t.lines.event("mesh-peer", fields{"topic": topic, "peer": id.String(), "grafted": grafted})
}

func (t *meshTracer) Graft(id peer.ID, topic string)                 { t.mesh(id, topic, true) }
func (t *meshTracer) Prune(id peer.ID, topic string)                 { t.mesh(id, topic, false) }
func (t *meshTracer) OnNewOutboundStream(_ peer.ID, _ protocol.ID)   {}
func (t *meshTracer) OnClosedOutboundStream(_ peer.ID)               {}
func (t *meshTracer) Join(_ string)                                  {}
func (t *meshTracer) Leave(_ string)                                 {}
func (t *meshTracer) ValidateMessage(_ *pubsub.Message)              {}
func (t *meshTracer) DeliverMessage(_ *pubsub.Message)               {}
func (t *meshTracer) RejectMessage(_ *pubsub.Message, reason string) {}
func (t *meshTracer) DuplicateMessage(_ *pubsub.Message)             {}
func (t *meshTracer) ThrottlePeer(_ peer.ID)                         {}
func (t *meshTracer) RecvRPC(_ *pubsub.RPC)                          {}
func (t *meshTracer) SendRPC(_ *pubsub.RPC, _ peer.ID)               {}
func (t *meshTracer) DropRPC(_ *pubsub.RPC, _ peer.ID)               {}
func (t *meshTracer) UndeliverableMessage(_ *pubsub.Message)         {}

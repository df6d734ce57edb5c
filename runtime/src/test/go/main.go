// A go-libp2p peer that speaks the line interface of `troupe peer --json`: commands on standard input, one JSON object a
// line on standard output. The interoperability tests drive every kind of peer through this one interface.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/ipfs/boxo/ipns"
	"github.com/ipfs/boxo/path"
	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-multihash"
)

const (
	defaultListen     = "/ip4/127.0.0.1/tcp/0"
	bootstrapAttempts = 3
	bootstrapPause    = 5 * time.Second
	dialTimeout       = 10 * time.Second
	dhtTimeout        = 30 * time.Second
	perfTimeout       = 300 * time.Second
	nameLifetime      = 48 * time.Hour
	nameTTL           = 5 * time.Minute
	longestLine       = 1 << 20
)

// commandError is a failure with the code that the reply carries.
type commandError struct{ code, message string }

func (e *commandError) Error() string { return e.message }

func badArgument(format string, values ...any) error {
	return &commandError{"BadArgument", fmt.Sprintf(format, values...)}
}

type fields map[string]any

// texts is an option that may be repeated.
type texts []string

func (t *texts) String() string { return strings.Join(*t, ",") }

func (t *texts) Set(text string) error {
	*t = append(*t, text)
	return nil
}

type settings struct {
	listen, bootstrap, topics, namespaces texts
	key, dht, dhtProtocol                 string
}

func options(arguments []string) (settings, error) {
	var s settings
	set := flag.NewFlagSet("peer", flag.ContinueOnError)
	set.Var(&s.listen, "listen", "where to accept connections")
	set.Var(&s.bootstrap, "bootstrap", "whom to join the DHT through")
	set.Var(&s.topics, "topic", "a topic to subscribe to at once")
	set.Var(&s.namespaces, "namespace", "a namespace of values that takes anything")
	set.StringVar(&s.key, "key", "", "the file of the private key, made on first use")
	set.StringVar(&s.dht, "dht", "auto", "client, server, auto or off")
	set.StringVar(&s.dhtProtocol, "dht-protocol", "/ipfs/kad/1.0.0", "what the DHT speaks")
	set.Bool("json", true, "it writes nothing else")
	set.Bool("perf", true, "it always serves perf")
	if err := set.Parse(arguments); err != nil {
		return s, err
	}
	if set.NArg() > 0 {
		return s, fmt.Errorf("unknown argument %q", set.Arg(0))
	}
	if len(s.listen) == 0 {
		s.listen = texts{defaultListen}
	}
	return s, nil
}

func keyFrom(file string) (crypto.PrivKey, error) {
	if file != "" {
		encoded, err := os.ReadFile(file)
		if err == nil {
			return crypto.UnmarshalPrivateKey(encoded)
		}
		if !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	key, _, err := crypto.GenerateEd25519Key(nil)
	if err != nil || file == "" {
		return key, err
	}
	encoded, err := crypto.MarshalPrivateKey(key)
	if err != nil {
		return nil, err
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = out.Write(encoded); err != nil {
		out.Close()
		return nil, err
	}
	return key, out.Close()
}

// lines is the standard output, written by many.
type lines struct {
	mutex sync.Mutex
	out   *json.Encoder
}

func (l *lines) write(object fields) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if err := l.out.Encode(object); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func (l *lines) event(name string, object fields) {
	object["event"] = name
	l.write(object)
}

// topic is a subscription, and what follows it.
type topic struct {
	topic        *pubsub.Topic
	subscription *pubsub.Subscription
	peers        *pubsub.TopicEventHandler
	cancel       context.CancelFunc
	followers    sync.WaitGroup
}

type node struct {
	lines  *lines
	host   host.Host
	dht    *dht.IpfsDHT
	pubsub *pubsub.PubSub

	mutex  sync.Mutex
	topics map[string]*topic
}

func (n *node) close() {
	if n.dht != nil {
		n.dht.Close()
	}
	n.host.Close()
}

func (n *node) needDht() (*dht.IpfsDHT, error) {
	if n.dht == nil {
		return nil, &commandError{"NoDht", "this peer runs no DHT"}
	}
	return n.dht, nil
}

func (n *node) addresses() []string {
	addresses := []string{}
	for _, address := range n.host.Addrs() {
		addresses = append(addresses, address.String()+"/p2p/"+n.host.ID().String())
	}
	return addresses
}

func (n *node) bootstrap(ctx context.Context, info peer.AddrInfo) {
	for attempt := 1; attempt <= bootstrapAttempts; attempt++ {
		dialing, cancel := context.WithTimeout(ctx, dialTimeout)
		err := n.host.Connect(dialing, info)
		cancel()
		if err == nil {
			return
		}
		fmt.Fprintf(os.Stderr, "bootstrap %s, attempt %d: %v\n", info, attempt, err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(bootstrapPause):
		}
	}
}

func (n *node) subscribe(ctx context.Context, name string) error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.topics[name] != nil {
		return nil
	}
	joined, err := n.pubsub.Join(name)
	if err != nil {
		return err
	}
	peers, err := joined.EventHandler()
	if err != nil {
		return err
	}
	subscription, err := joined.Subscribe()
	if err != nil {
		return err
	}
	following, cancel := context.WithCancel(ctx)
	t := &topic{topic: joined, subscription: subscription, peers: peers, cancel: cancel}
	n.topics[name] = t
	t.followers.Add(2)
	go func() {
		defer t.followers.Done()
		for {
			event, err := peers.NextPeerEvent(following)
			if err != nil {
				return
			}
			n.lines.event("topic-peer", fields{
				"topic": name, "peer": event.Peer.String(), "joined": event.Type == pubsub.PeerJoin,
			})
		}
	}()
	go func() {
		defer t.followers.Done()
		for {
			message, err := subscription.Next(following)
			if err != nil {
				return
			}
			if message.GetFrom() == n.host.ID() {
				continue
			}
			event := fields{
				"topic": name,
				"from":  message.GetFrom().String(),
				"data":  base64.StdEncoding.EncodeToString(message.Data),
			}
			if utf8.Valid(message.Data) {
				event["text"] = string(message.Data)
			}
			n.lines.event("message", event)
		}
	}()
	return nil
}

func (n *node) unsubscribe(name string) error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	t := n.topics[name]
	if t == nil {
		return nil
	}
	delete(n.topics, name)
	t.cancel()
	t.subscription.Cancel()
	t.peers.Cancel()
	t.followers.Wait()
	return t.topic.Close()
}

func (n *node) publish(ctx context.Context, name string, data []byte) error {
	n.mutex.Lock()
	t := n.topics[name]
	n.mutex.Unlock()
	if t == nil {
		return &commandError{"NotSubscribed", "this peer publishes to the topics it is subscribed to"}
	}
	return t.topic.Publish(ctx, data)
}

// split gives the first word of a text, and the rest of it.
func split(text string) (string, string) {
	word, rest, _ := strings.Cut(strings.TrimLeft(text, " "), " ")
	return word, rest
}

func peerID(text string) (peer.ID, error) {
	word, _ := split(text)
	id, err := peer.Decode(word)
	if err != nil {
		return "", badArgument("not a peer id: %q", word)
	}
	return id, nil
}

func address(text string) (*peer.AddrInfo, error) {
	word, _ := split(text)
	parsed, err := multiaddr.NewMultiaddr(word)
	if err != nil {
		return nil, badArgument("not a multiaddr: %q: %v", word, err)
	}
	info, err := peer.AddrInfoFromP2pAddr(parsed)
	if err != nil {
		return nil, badArgument("no address of a peer: %q: %v", word, err)
	}
	return info, nil
}

// content gives the CID that a text is, or otherwise that of its bytes.
func content(text string) (cid.Cid, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return cid.Undef, badArgument("the CID or text is missing")
	}
	if parsed, err := cid.Decode(text); err == nil {
		return parsed, nil
	}
	hash, err := multihash.Sum([]byte(text), multihash.SHA2_256, -1)
	if err != nil {
		return cid.Undef, err
	}
	return cid.NewCidV1(cid.Raw, hash), nil
}

func names(ids []peer.ID) []string {
	result := []string{}
	for _, id := range ids {
		result = append(result, id.String())
	}
	return result
}

type command func(ctx context.Context, n *node, rest string) (fields, error)

var commands = map[string]command{
	"id": func(_ context.Context, n *node, _ string) (fields, error) {
		return fields{"peer": n.host.ID().String(), "addrs": n.addresses()}, nil
	},

	"connect": func(ctx context.Context, n *node, rest string) (fields, error) {
		info, err := address(rest)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		return fields{"peer": info.ID.String()}, n.host.Connect(ctx, *info)
	},

	"disconnect": func(_ context.Context, n *node, rest string) (fields, error) {
		id, err := peerID(rest)
		if err != nil {
			return nil, err
		}
		return fields{}, n.host.Network().ClosePeer(id)
	},

	"peers": func(_ context.Context, n *node, _ string) (fields, error) {
		return fields{"peers": names(n.host.Network().Peers())}, nil
	},

	"subscribe": func(_ context.Context, n *node, rest string) (fields, error) {
		name, _ := split(rest)
		return fields{}, n.subscribe(context.Background(), name)
	},

	"unsubscribe": func(_ context.Context, n *node, rest string) (fields, error) {
		name, _ := split(rest)
		return fields{}, n.unsubscribe(name)
	},

	"publish": func(ctx context.Context, n *node, rest string) (fields, error) {
		name, text := split(rest)
		return fields{}, n.publish(ctx, name, []byte(text))
	},

	"topic-peers": func(_ context.Context, n *node, rest string) (fields, error) {
		name, _ := split(rest)
		return fields{"peers": names(n.pubsub.ListPeers(name))}, nil
	},

	"put": func(ctx context.Context, n *node, rest string) (fields, error) {
		key, value := split(rest)
		return n.put(ctx, key, []byte(value))
	},

	"get": func(ctx context.Context, n *node, rest string) (fields, error) {
		key, _ := split(rest)
		return n.get(ctx, key)
	},

	// Keys of public keys are not text: these two put the peer's own, and get another's.
	"put-public-key": func(ctx context.Context, n *node, _ string) (fields, error) {
		value, err := crypto.MarshalPublicKey(n.host.Peerstore().PubKey(n.host.ID()))
		if err != nil {
			return nil, err
		}
		return n.put(ctx, routing.KeyForPublicKey(n.host.ID()), value)
	},

	"get-public-key": func(ctx context.Context, n *node, rest string) (fields, error) {
		id, err := peerID(rest)
		if err != nil {
			return nil, err
		}
		return n.get(ctx, routing.KeyForPublicKey(id))
	},

	"name-publish": func(ctx context.Context, n *node, rest string) (fields, error) {
		value, err := path.NewPath(strings.TrimSpace(rest))
		if err != nil {
			return nil, badArgument("not a path: %v", err)
		}
		name, sequence := ipns.NameFromPeer(n.host.ID()), uint64(0)
		switch record, err := n.name(ctx, name); {
		case err == nil:
			if sequence, err = record.Sequence(); err != nil {
				return nil, err
			}
			sequence++
		case !errors.Is(err, routing.ErrNotFound):
			return nil, err
		}
		key := n.host.Peerstore().PrivKey(n.host.ID())
		record, err := ipns.NewRecord(key, value, sequence, time.Now().Add(nameLifetime), nameTTL)
		if err != nil {
			return nil, err
		}
		encoded, err := ipns.MarshalRecord(record)
		if err != nil {
			return nil, err
		}
		if _, err := n.put(ctx, string(name.RoutingKey()), encoded); err != nil {
			return nil, err
		}
		return nameFields(name, record)
	},

	"name-resolve": func(ctx context.Context, n *node, rest string) (fields, error) {
		name, err := ipns.NameFromString(strings.TrimSpace(rest))
		if err != nil {
			return nil, badArgument("not a name: %v", err)
		}
		record, err := n.name(ctx, name)
		if err != nil {
			return nil, err
		}
		return nameFields(name, record)
	},

	"provide": func(ctx context.Context, n *node, rest string) (fields, error) {
		d, err := n.needDht()
		if err != nil {
			return nil, err
		}
		key, err := content(rest)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dhtTimeout)
		defer cancel()
		return fields{"cid": key.String()}, d.Provide(ctx, key, true)
	},

	"providers": func(ctx context.Context, n *node, rest string) (fields, error) {
		d, err := n.needDht()
		if err != nil {
			return nil, err
		}
		key, err := content(rest)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dhtTimeout)
		defer cancel()
		found := []peer.ID{}
		for provider := range d.FindProvidersAsync(ctx, key, 0) {
			found = append(found, provider.ID)
		}
		return fields{"cid": key.String(), "peers": names(found)}, ctx.Err()
	},

	"find": func(ctx context.Context, n *node, rest string) (fields, error) {
		d, err := n.needDht()
		if err != nil {
			return nil, err
		}
		id, err := peerID(rest)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, dhtTimeout)
		defer cancel()
		info, err := d.FindPeer(ctx, id)
		addresses := []string{}
		for _, address := range info.Addrs {
			addresses = append(addresses, address.String())
		}
		return fields{"addrs": addresses}, err
	},

	"ping": func(ctx context.Context, n *node, rest string) (fields, error) {
		id, err := peerID(rest)
		if err != nil {
			return nil, err
		}
		count := 1
		if _, text := split(rest); text != "" {
			if count, err = strconv.Atoi(text); err != nil || count < 1 {
				return nil, badArgument("not a number of pings: %q", text)
			}
		}
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		times := []int64{}
		for result := range ping.Ping(ctx, n.host, id) {
			if result.Error != nil {
				return nil, result.Error
			}
			// Loopback may take less than one.
			times = append(times, max(1, result.RTT.Microseconds()))
			if len(times) == count {
				return fields{"rttMicros": times}, nil
			}
		}
		return nil, ctx.Err()
	},

	"perf": func(ctx context.Context, n *node, rest string) (fields, error) {
		id, err := peerID(rest)
		if err != nil {
			return nil, err
		}
		_, sizes := split(rest)
		var upload, download uint64
		if _, err := fmt.Sscan(sizes, &upload, &download); err != nil {
			return nil, badArgument("not an upload and a download size: %q", sizes)
		}
		ctx, cancel := context.WithTimeout(ctx, perfTimeout)
		defer cancel()
		return runPerf(ctx, n.host, id, upload, download)
	},
}

func (n *node) put(ctx context.Context, key string, value []byte) (fields, error) {
	d, err := n.needDht()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dhtTimeout)
	defer cancel()
	return fields{}, d.PutValue(ctx, key, value)
}

func (n *node) value(ctx context.Context, key string) ([]byte, error) {
	d, err := n.needDht()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dhtTimeout)
	defer cancel()
	return d.GetValue(ctx, key)
}

// name is what an IPNS name points at.
func (n *node) name(ctx context.Context, name ipns.Name) (*ipns.Record, error) {
	value, err := n.value(ctx, string(name.RoutingKey()))
	if err != nil {
		return nil, err
	}
	return ipns.UnmarshalRecord(value)
}

func nameFields(name ipns.Name, record *ipns.Record) (fields, error) {
	value, err := record.Value()
	if err != nil {
		return nil, err
	}
	sequence, err := record.Sequence()
	if err != nil {
		return nil, err
	}
	validity, err := record.Validity()
	return fields{
		"name": "/ipns/" + name.String(), "value": value.String(), "sequence": fmt.Sprint(sequence),
		"validity": validity.Format(time.RFC3339Nano),
	}, err
}

func (n *node) get(ctx context.Context, key string) (fields, error) {
	value, err := n.value(ctx, key)
	if err != nil {
		return nil, err
	}
	reply := fields{"data": base64.StdEncoding.EncodeToString(value)}
	if utf8.Valid(value) {
		reply["value"] = string(value)
	}
	return reply, nil
}

func (n *node) run(ctx context.Context, name, rest string, line int) {
	var reply fields
	handler, err := commands[name], error(nil)
	if handler == nil {
		err = &commandError{"UnknownCommand", "no such command: " + name}
	} else {
		reply, err = handler(ctx, n, rest)
	}
	if err != nil {
		code := "Failed"
		var known *commandError
		switch {
		case errors.As(err, &known):
			code = known.code
		case errors.Is(err, context.DeadlineExceeded):
			code = "TimedOut"
		case errors.Is(err, routing.ErrNotFound):
			code = "NotFound"
		}
		reply = fields{"error": code, "message": err.Error()}
	}
	reply["reply"], reply["line"], reply["ok"] = name, line, err == nil
	n.lines.write(reply)
}

// serve runs the commands of the standard input, each in its own time, until it ends or says so.
func (n *node) serve(ctx context.Context) {
	var running sync.WaitGroup
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, longestLine)
	for line := 1; input.Scan(); line++ {
		name, rest := split(input.Text())
		if name == "" {
			continue
		}
		if name == "quit" {
			running.Wait()
			n.lines.write(fields{"reply": "quit", "line": line, "ok": true})
			return
		}
		running.Go(func() { n.run(ctx, name, rest, line) })
	}
	running.Wait()
}

func run() error {
	s, err := options(os.Args[1:])
	if err != nil {
		return err
	}
	key, err := keyFrom(s.key)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	n, err := start(ctx, key, s, &lines{out: json.NewEncoder(os.Stdout)})
	if err != nil {
		return err
	}
	defer n.close()
	n.lines.event("listening", fields{"peer": n.host.ID().String(), "addrs": n.addresses()})
	for _, name := range s.topics {
		if err := n.subscribe(ctx, name); err != nil {
			return err
		}
	}
	for _, text := range s.bootstrap {
		info, err := address(text)
		if err != nil {
			return err
		}
		go n.bootstrap(ctx, *info)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		n.serve(ctx)
	}()
	select {
	case <-served:
	case <-ctx.Done():
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

package dev.troupe.runtime.foreign;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One network of every kind, round a bootstrap peer of each kind in turn. */
class AllKindsIT {

  private final List<JsonPeerProcess> started = new ArrayList<>();

  @AfterEach
  void stopPeers() {
    started.forEach(JsonPeerProcess::close);
  }

  private JsonPeerProcess start(PeerKind kind, String name, String... arguments) {
    JsonPeerProcess peer = kind.start(kind + "-" + name, arguments);
    started.add(peer);
    return peer;
  }

  @ParameterizedTest
  @EnumSource(PeerKind.class)
  void everyKindResolvesTheNamesThatTheOthersPublish(PeerKind bootstrapping) {
    JsonPeerProcess bootstrap = start(bootstrapping, "bootstrap", "--dht", "server");
    List<JsonPeerProcess> agents = new ArrayList<>();
    for (PeerKind kind : PeerKind.values()) {
      agents.add(start(kind, "agent", "--dht", "server", "--bootstrap", bootstrap.address()));
    }
    for (JsonPeerProcess agent : agents) {
      agent.awaitDhtReady();
      bootstrap.awaitIdentified(agent);
    }
    for (int sequence = 0; sequence < 2; sequence++) {
      String value = InteropSuite.path(sequence);
      for (JsonPeerProcess agent : agents) {
        JsonNode published = agent.ask("name-publish " + value);
        assertEquals("" + sequence, published.path("sequence").asText(), published::toString);
      }
      for (JsonPeerProcess seeker : agents) {
        for (JsonPeerProcess sought : agents) {
          JsonNode found = seeker.ask("name-resolve " + sought.peerId());
          assertEquals(value, found.path("value").asText(), () -> seeker + " asks for " + sought);
          assertEquals("" + sequence, found.path("sequence").asText());
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(PeerKind.class)
  void everyKindFindsWhatTheOthersProvideAndPutAndWhereTheyAre(PeerKind bootstrapping) {
    JsonPeerProcess bootstrap = start(bootstrapping, "bootstrap", "--dht", "server");
    List<JsonPeerProcess> agents = new ArrayList<>();
    for (PeerKind kind : PeerKind.values()) {
      agents.add(start(kind, "agent", "--dht", "server", "--bootstrap", bootstrap.address()));
    }
    for (JsonPeerProcess agent : agents) {
      agent.awaitDhtReady();
      bootstrap.awaitIdentified(agent);
    }
    for (JsonPeerProcess agent : agents) {
      agent.ask("provide a text of " + agent.name());
      agent.ask("provide a text of all");
      agent.ask("put /test/" + agent.name() + " a value of " + agent.name());
    }
    for (JsonPeerProcess seeker : agents) {
      List<String> ofAll = InteropSuite.texts(seeker.ask("providers a text of all").path("peers"));
      for (JsonPeerProcess sought : agents) {
        assertEquals(
            "a value of " + sought.name(),
            seeker.ask("get /test/" + sought.name()).path("value").asText());
        // Whether a peer counts itself among the providers is its own affair: go does, ours does
        // not.
        if (sought != seeker) {
          assertEquals(
              List.of(sought.peerId()),
              InteropSuite.texts(seeker.ask("providers a text of " + sought.name()).path("peers")),
              () -> seeker + " asks for " + sought);
          assertTrue(ofAll.contains(sought.peerId()), () -> seeker + " of all: " + ofAll);
          List<String> addresses =
              InteropSuite.texts(seeker.ask("find " + sought.peerId()).path("addrs"));
          String address = sought.address();
          assertTrue(
              addresses.contains(address)
                  || addresses.contains(address.substring(0, address.indexOf("/p2p/"))),
              () -> seeker + " finds " + sought + " at " + addresses);
        }
      }
    }
  }
}

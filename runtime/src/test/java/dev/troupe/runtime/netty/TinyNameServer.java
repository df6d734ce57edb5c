package dev.troupe.runtime.netty;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A name server on loopback, over UDP, that knows what the test tells it. */
public final class TinyNameServer implements AutoCloseable {

  private static final int A = 1;
  private static final int TXT = 16;
  private static final int NO_SUCH_NAME = 3;

  private final DatagramSocket socket;
  private final Map<String, List<List<String>>> texts = new ConcurrentHashMap<>();
  private final Map<String, byte[]> addresses = new ConcurrentHashMap<>();

  /** Whether it answers. */
  public volatile boolean silent;

  /** On a free port. */
  public TinyNameServer() throws IOException {
    socket = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    Thread thread = new Thread(this::serve, "name-server");
    thread.setDaemon(true);
    thread.start();
  }

  /** Where it is. */
  public InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), socket.getLocalPort());
  }

  /** One more TXT record, of one or more strings. */
  public void text(String name, String... strings) {
    texts.computeIfAbsent(name, unused -> new ArrayList<>()).add(List.of(strings));
  }

  /** The IPv4 address of a name. */
  public void address(String name, InetAddress address) {
    addresses.put(name, address.getAddress());
  }

  private void serve() {
    byte[] buffer = new byte[1500];
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        if (!silent) {
          byte[] answer = answer(buffer);
          socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
        }
      }
    } catch (IOException closed) {
      return; // As at the end.
    }
  }

  private byte[] answer(byte[] query) throws IOException {
    StringBuilder name = new StringBuilder();
    int at = 12;
    while (query[at] != 0) {
      int size = query[at] & 0xff;
      if (!name.isEmpty()) {
        name.append('.');
      }
      name.append(new String(query, at + 1, size, StandardCharsets.US_ASCII));
      at += size + 1;
    }
    int type = (query[at + 1] & 0xff) << 8 | query[at + 2] & 0xff;
    int end = at + 5;
    List<byte[]> answers = new ArrayList<>();
    if (type == TXT) {
      for (List<String> strings : texts.getOrDefault(name.toString(), List.of())) {
        ByteArrayOutputStream record = new ByteArrayOutputStream();
        for (String each : strings) {
          record.write(each.length());
          record.writeBytes(each.getBytes(StandardCharsets.US_ASCII));
        }
        answers.add(record.toByteArray());
      }
    } else if (type == A && addresses.containsKey(name.toString())) {
      answers.add(addresses.get(name.toString()));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(query, 0, 2);
    out.writeShort(0x8180 | (answers.isEmpty() ? NO_SUCH_NAME : 0));
    out.writeShort(1);
    out.writeShort(answers.size());
    out.writeShort(0);
    out.writeShort(0);
    out.write(query, 12, end - 12);
    for (byte[] record : answers) {
      out.writeShort(0xc00c); // The name of the question.
      out.writeShort(type);
      out.writeShort(1);
      out.writeInt(60);
      out.writeShort(record.length);
      out.write(record);
    }
    return bytes.toByteArray();
  }

  @Override
  public void close() {
    socket.close();
  }
}

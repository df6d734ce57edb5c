package dev.troupe.runtime.netty;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import io.netty.buffer.ByteBuf;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDatagramChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioDatagramChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.dns.DefaultDnsQuestion;
import io.netty.handler.codec.dns.DnsRawRecord;
import io.netty.handler.codec.dns.DnsRecord;
import io.netty.handler.codec.dns.DnsRecordType;
import io.netty.resolver.ResolvedAddressTypes;
import io.netty.resolver.dns.DnsErrorCauseException;
import io.netty.resolver.dns.DnsNameResolver;
import io.netty.resolver.dns.DnsNameResolverBuilder;
import io.netty.resolver.dns.DnsNameResolverTimeoutException;
import io.netty.resolver.dns.SequentialDnsServerAddressStreamProvider;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Names, asked of name servers over UDP, and over TCP where an answer is too long for that: Netty's
 * resolver, because it does not block and its event loops are there already. Each question has a
 * resolver of its own, and nothing is remembered. Thread-safe.
 */
final class Names {

  /** How long one name server has to answer; then it, or the next one, is asked again. */
  static final long QUERY_MILLIS = 1_500;

  /** How often a question is sent in all, where names lead to others or nobody answers. */
  static final int MAX_QUERIES = 6;

  private final boolean epoll;
  private final List<InetSocketAddress> servers;

  /**
   * Names.
   *
   * @param servers the name servers; empty for those of the system
   */
  Names(boolean epoll, List<InetSocketAddress> servers) {
    this.epoll = epoll;
    this.servers = List.copyOf(servers);
  }

  private DnsNameResolverBuilder builder(EventLoop loop) {
    DnsNameResolverBuilder builder =
        new DnsNameResolverBuilder(loop)
            .datagramChannelType(epoll ? EpollDatagramChannel.class : NioDatagramChannel.class)
            .socketChannelType(epoll ? EpollSocketChannel.class : NioSocketChannel.class)
            .queryTimeoutMillis(QUERY_MILLIS)
            .maxQueriesPerResolve(MAX_QUERIES);
    return servers.isEmpty()
        ? builder
        : builder.nameServerProvider(new SequentialDnsServerAddressStreamProvider(servers));
  }

  /** The first address of a name. */
  void findAddress(
      String name, ResolvedAddressTypes types, EventLoop loop, Completion<InetAddress> completion) {
    DnsNameResolver resolver = builder(loop).resolvedAddressTypes(types).build();
    resolver
        .resolve(name)
        .addListener(
            (Future<InetAddress> done) -> {
              if (done.isSuccess()) {
                completion.succeeded(done.getNow());
              } else {
                completion.failed(failure(name, done.cause()));
              }
              loop.execute(resolver::close);
            });
  }

  /** The TXT records of a name. */
  Cancellable findText(String name, EventLoop loop, Completion<List<String>> completion) {
    DefaultDnsQuestion question;
    try {
      // The dot at the end keeps search domains out.
      question = new DefaultDnsQuestion(name.endsWith(".") ? name : name + ".", DnsRecordType.TXT);
    } catch (IllegalArgumentException e) {
      completion.failed(new HostFailure(HostFailure.Kind.MALFORMED, name + " is no name"));
      return () -> {};
    }
    AtomicBoolean told = new AtomicBoolean();
    DnsNameResolver resolver = builder(loop).build();
    resolver
        .resolveAll(question)
        .addListener(
            (Future<List<DnsRecord>> done) -> {
              List<String> records = done.isSuccess() ? texts(done.getNow()) : List.of();
              loop.execute(resolver::close);
              if (told.compareAndSet(false, true)) {
                if (done.isSuccess()) {
                  completion.succeeded(records);
                } else {
                  completion.failed(failure(name, done.cause()));
                }
              }
            });
    return () -> {
      if (told.compareAndSet(false, true)) {
        loop.execute(resolver::close);
        completion.failed(
            new HostFailure(
                HostFailure.Kind.CANCELLED, "the question for " + name + " was called off"));
      }
    };
  }

  /** Each record is one or more strings of up to 255 bytes, which belong together. */
  private static List<String> texts(List<DnsRecord> records) {
    List<String> texts = new ArrayList<>();
    for (DnsRecord record : records) {
      if (record instanceof DnsRawRecord raw && record.type().equals(DnsRecordType.TXT)) {
        ByteBuf content = raw.content();
        StringBuilder text = new StringBuilder();
        while (content.isReadable()) {
          int size = Math.min(content.readUnsignedByte(), content.readableBytes());
          text.append(content.readCharSequence(size, StandardCharsets.UTF_8));
        }
        texts.add(text.toString());
      }
      ReferenceCountUtil.release(record);
    }
    return texts;
  }

  private static HostFailure failure(String name, Throwable cause) {
    for (Throwable each = cause; each != null; each = each.getCause()) {
      if (each instanceof DnsNameResolverTimeoutException) {
        return new HostFailure(
            HostFailure.Kind.TIMED_OUT, "no name server answers for the name " + name);
      }
      if (each instanceof DnsErrorCauseException said) {
        return new HostFailure(
            HostFailure.Kind.UNREACHABLE,
            "the name " + name + " does not resolve: the name server says " + said.getCode());
      }
    }
    return new HostFailure(HostFailure.Kind.UNREACHABLE, "the name " + name + " does not resolve");
  }
}

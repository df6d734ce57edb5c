package dev.troupe.runtime.netty;

import dev.troupe.actors.host.Cancellable;
import dev.troupe.actors.host.Completion;
import dev.troupe.actors.host.HostFailure;
import dev.troupe.actors.link.EventLoop;
import dev.troupe.actors.link.LinkAcceptor;
import dev.troupe.actors.link.LinkListener;
import dev.troupe.actors.link.LinkTransport;
import dev.troupe.actors.link.RawLink;
import dev.troupe.protocol.MalformedException;
import dev.troupe.protocol.multiaddr.Component;
import dev.troupe.protocol.multiaddr.Multiaddr;
import dev.troupe.protocol.multiaddr.Protocol;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.resolver.ResolvedAddressTypes;
import java.net.ConnectException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * TCP over IPv4 and IPv6, by address or by name ({@code /dns}, {@code /dns4}, {@code /dns6}). Owns
 * its event loops; many hosts may share one. Thread-safe.
 */
public final class TcpTransport implements LinkTransport, AutoCloseable {

  private static final int READ_BUFFER = 128 * 1024;
  private static final WriteBufferWaterMark WATER_MARKS =
      new WriteBufferWaterMark(256 * 1024, 1024 * 1024);

  private final boolean epoll = Epoll.isAvailable();
  private final EventLoopGroup group;
  private final Names names;

  /**
   * A transport with its own event loops.
   *
   * @param threads how many loops
   */
  public TcpTransport(int threads) {
    this(threads, List.of());
  }

  /**
   * The same, with name servers of one's own.
   *
   * @param nameServers empty for those of the system
   */
  public TcpTransport(int threads, List<InetSocketAddress> nameServers) {
    this.names = new Names(epoll, nameServers);
    this.group =
        new MultiThreadIoEventLoopGroup(
            threads, epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory());
  }

  /** One of the loops, for timers. */
  public EventLoop nextLoop() {
    return new NettyEventLoop(group.next());
  }

  @Override
  public String name() {
    return "TCP";
  }

  @Override
  public boolean supports(Multiaddr address) {
    List<Component> parts = address.components();
    return parts.size() == 2
        && parts.get(1).protocol() == Protocol.TCP
        && switch (parts.get(0).protocol()) {
          case IP4, IP6, DNS, DNS4, DNS6 -> true;
          default -> false;
        };
  }

  @Override
  public Cancellable dial(Multiaddr address, Completion<RawLink> completion) {
    io.netty.channel.EventLoop loop = group.next();
    AtomicBoolean cancelled = new AtomicBoolean();
    AtomicReference<@Nullable Channel> channel = new AtomicReference<>();
    resolve(
        address,
        loop,
        new Completion<>() {
          @Override
          public void succeeded(InetSocketAddress target) {
            if (cancelled.get()) {
              completion.failed(cancelledFailure(address));
              return;
            }
            ChannelFuture connecting = connect(loop, target);
            channel.set(connecting.channel());
            if (cancelled.get()) {
              connecting.channel().close();
            }
            connecting.addListener(done -> onConnected(address, connecting, cancelled, completion));
          }

          @Override
          public void failed(HostFailure failure) {
            completion.failed(failure);
          }
        });
    return () -> {
      if (cancelled.compareAndSet(false, true)) {
        Channel open = channel.get();
        if (open != null) {
          open.close();
        }
      }
    };
  }

  private ChannelFuture connect(io.netty.channel.EventLoop loop, InetSocketAddress target) {
    return new Bootstrap()
        .group(loop)
        .channel(epoll ? EpollSocketChannel.class : NioSocketChannel.class)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.SO_KEEPALIVE, true)
        .option(ChannelOption.AUTO_READ, false)
        .option(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
        // The host has its own deadline, and closes the channel.
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, 0)
        .option(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARKS)
        .option(
            ChannelOption.RECVBUF_ALLOCATOR,
            new io.netty.channel.AdaptiveRecvByteBufAllocator(2048, 16 * 1024, READ_BUFFER))
        .handler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel made) {
                // The link adds itself when it is started.
              }
            })
        .connect(target);
  }

  private static void onConnected(
      Multiaddr address,
      ChannelFuture connecting,
      AtomicBoolean cancelled,
      Completion<RawLink> completion) {
    if (cancelled.get()) {
      connecting.channel().close();
      completion.failed(cancelledFailure(address));
    } else if (connecting.isSuccess()) {
      Channel channel = connecting.channel();
      completion.succeeded(
          new NettyLink(
              channel,
              toMultiaddr((InetSocketAddress) channel.localAddress()),
              toMultiaddr((InetSocketAddress) channel.remoteAddress())));
    } else {
      Throwable cause = connecting.cause();
      completion.failed(
          new HostFailure(
              cause instanceof ConnectException
                  ? HostFailure.Kind.REFUSED
                  : HostFailure.Kind.UNREACHABLE,
              String.valueOf(cause.getMessage())));
    }
  }

  private static HostFailure cancelledFailure(Multiaddr address) {
    return new HostFailure(
        HostFailure.Kind.CANCELLED, "the dial of " + address + " was called off");
  }

  private void resolve(
      Multiaddr address,
      io.netty.channel.EventLoop loop,
      Completion<InetSocketAddress> completion) {
    Component where = address.components().get(0);
    int port = address.components().get(1).port();
    switch (where.protocol()) {
      case IP4, IP6 -> completion.succeeded(new InetSocketAddress(ip(where), port));
      default -> {
        ResolvedAddressTypes types =
            switch (where.protocol()) {
              case DNS4 -> ResolvedAddressTypes.IPV4_ONLY;
              case DNS6 -> ResolvedAddressTypes.IPV6_ONLY;
              default -> ResolvedAddressTypes.IPV4_PREFERRED;
            };
        names.findAddress(
            where.text(),
            types,
            loop,
            new Completion<>() {
              @Override
              public void succeeded(InetAddress ip) {
                completion.succeeded(new InetSocketAddress(ip, port));
              }

              @Override
              public void failed(HostFailure failure) {
                completion.failed(failure);
              }
            });
      }
    }
  }

  /** Asks for the TXT records of a name; see {@link dev.troupe.actors.world.World#findText}. */
  public Cancellable findText(String name, Completion<List<String>> completion) {
    return names.findText(name, group.next(), completion);
  }

  @Override
  public void listen(
      Multiaddr address, LinkAcceptor acceptor, Completion<LinkListener> completion) {
    io.netty.channel.EventLoop loop = group.next();
    resolve(
        address,
        loop,
        new Completion<>() {
          @Override
          public void succeeded(InetSocketAddress target) {
            ChannelFuture binding = bind(acceptor, target);
            binding.addListener(
                done -> {
                  if (done.isSuccess()) {
                    completion.succeeded(new Listening(binding.channel()));
                  } else {
                    completion.failed(
                        new HostFailure(
                            HostFailure.Kind.ADDRESS_UNAVAILABLE,
                            "cannot listen at "
                                + address
                                + ": "
                                + String.valueOf(done.cause().getMessage())));
                  }
                });
          }

          @Override
          public void failed(HostFailure failure) {
            completion.failed(failure);
          }
        });
  }

  private ChannelFuture bind(LinkAcceptor acceptor, InetSocketAddress target) {
    return new ServerBootstrap()
        .group(group)
        .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
        .option(ChannelOption.SO_REUSEADDR, true)
        .option(ChannelOption.SO_BACKLOG, 1024)
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.SO_KEEPALIVE, true)
        .childOption(ChannelOption.AUTO_READ, false)
        .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
        .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARKS)
        .childOption(
            ChannelOption.RECVBUF_ALLOCATOR,
            new io.netty.channel.AdaptiveRecvByteBufAllocator(2048, 16 * 1024, READ_BUFFER))
        .childHandler(
            new ChannelInitializer<>() {
              @Override
              protected void initChannel(Channel accepted) {
                // The channel is active only after this call has returned.
                accepted
                    .eventLoop()
                    .execute(
                        () -> {
                          if (accepted.isActive()) {
                            acceptor.onLink(
                                new NettyLink(
                                    accepted,
                                    toMultiaddr((InetSocketAddress) accepted.localAddress()),
                                    toMultiaddr((InetSocketAddress) accepted.remoteAddress())));
                          }
                        });
              }
            })
        .bind(target);
  }

  /** Closes all sockets and ends the event loops. */
  @Override
  public void close() {
    group.shutdownGracefully(0, 2, TimeUnit.SECONDS);
  }

  private static InetAddress ip(Component component) {
    try {
      return InetAddress.getByAddress(component.value().toArray());
    } catch (UnknownHostException e) {
      throw new IllegalStateException("4 or 16 bytes are an address", e);
    }
  }

  static Multiaddr toMultiaddr(InetSocketAddress address) {
    InetAddress ip = address.getAddress();
    String text = ip.getHostAddress();
    int zone = text.indexOf('%');
    try {
      return Multiaddr.parse(
          (ip instanceof Inet4Address ? "/ip4/" : "/ip6/")
              + (zone < 0 ? text : text.substring(0, zone))
              + "/tcp/"
              + address.getPort());
    } catch (MalformedException e) {
      throw new IllegalStateException("the JDK writes addresses that can be read", e);
    }
  }

  private static final class Listening implements LinkListener {
    private final Channel channel;
    private final List<Multiaddr> addresses;

    Listening(Channel channel) {
      this.channel = channel;
      this.addresses = expand((InetSocketAddress) channel.localAddress());
    }

    @Override
    public List<Multiaddr> addresses() {
      return addresses;
    }

    @Override
    public void close(Runnable done) {
      channel.close().addListener(closed -> done.run());
    }

    /** An unspecified address stands for those of all interfaces that are up. */
    private static List<Multiaddr> expand(InetSocketAddress bound) {
      if (!bound.getAddress().isAnyLocalAddress()) {
        return List.of(toMultiaddr(bound));
      }
      boolean only4 = bound.getAddress() instanceof Inet4Address;
      List<Multiaddr> all = new ArrayList<>();
      try {
        for (NetworkInterface each : NetworkInterface.networkInterfaces().toList()) {
          if (each.isUp()) {
            each.inetAddresses()
                .filter(ip -> ip instanceof Inet4Address == only4 && !ip.isLinkLocalAddress())
                .forEach(ip -> all.add(toMultiaddr(new InetSocketAddress(ip, bound.getPort()))));
          }
        }
      } catch (SocketException e) {
        throw new IllegalStateException("the interfaces of this machine cannot be listed", e);
      }
      return all.isEmpty() ? List.of(toMultiaddr(bound)) : List.copyOf(all);
    }
  }
}

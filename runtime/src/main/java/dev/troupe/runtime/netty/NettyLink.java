package dev.troupe.runtime.netty;

import dev.troupe.actors.link.EventLoop;
import dev.troupe.actors.link.RawLink;
import dev.troupe.actors.link.RawLinkListener;
import dev.troupe.protocol.multiaddr.Multiaddr;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.concurrent.FastThreadLocal;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A TCP connection as a link; its handler is the last of the channel's pipeline. */
final class NettyLink extends ChannelInboundHandlerAdapter implements RawLink {

  private static final Logger LOG = LoggerFactory.getLogger(NettyLink.class);

  /** What is copied into a buffer of its own size when it is sent, in bytes. */
  private static final int SMALL = 16 * 1024;

  /** One large buffer for each event loop, to be filled next; empty, or null while it is out. */
  private static final FastThreadLocal<@Nullable ByteBuf> SPARE =
      new FastThreadLocal<>() {
        @Override
        protected void onRemoval(@Nullable ByteBuf spare) {
          if (spare != null) {
            spare.release();
          }
        }
      };

  private final Channel channel;
  private final NettyEventLoop loop;
  private final Multiaddr localAddress;
  private final Multiaddr remoteAddress;
  private @Nullable RawLinkListener listener;
  private @Nullable ByteBuf reserved;
  private @Nullable ByteBuffer reservedView;
  private String closeReason = "the remote closed the connection";
  private boolean closeTold;

  NettyLink(Channel channel, Multiaddr localAddress, Multiaddr remoteAddress) {
    this.channel = channel;
    this.loop = new NettyEventLoop(channel.eventLoop());
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
  }

  @Override
  public EventLoop loop() {
    return loop;
  }

  @Override
  public Multiaddr localAddress() {
    return localAddress;
  }

  @Override
  public Multiaddr remoteAddress() {
    return remoteAddress;
  }

  @Override
  public void start(RawLinkListener newListener) {
    if (listener != null) {
      throw new IllegalStateException("the link has been started before");
    }
    listener = newListener;
    channel.pipeline().addLast(this);
    channel.config().setAutoRead(true);
    if (!channel.isActive()) {
      loop.execute(this::tellClosed);
    }
  }

  @Override
  public void setReading(boolean reading) {
    channel.config().setAutoRead(reading);
  }

  @Override
  public ByteBuffer reserve(int capacity) {
    if (reserved != null) {
      throw new IllegalStateException("a buffer is out already");
    }
    ByteBuf spare = SPARE.get();
    ByteBuf buffer;
    if (spare != null && spare.capacity() >= capacity) {
      SPARE.set(null);
      buffer = spare;
    } else {
      buffer = channel.alloc().directBuffer(capacity);
    }
    ByteBuffer view = buffer.nioBuffer(0, buffer.capacity());
    reserved = buffer;
    reservedView = view;
    return view;
  }

  @Override
  public void commit() {
    ByteBuf buffer = reserved;
    ByteBuffer view = reservedView;
    if (buffer == null || view == null) {
      throw new IllegalStateException("no buffer is out");
    }
    reserved = null;
    reservedView = null;
    int written = view.position();
    if (written > SMALL) {
      channel.write(buffer.writerIndex(written), channel.voidPromise());
      return;
    }
    if (written > 0) {
      // A buffer waits as long as a slow remote likes: a few bytes must not hold on to a large one.
      channel.write(
          channel.alloc().directBuffer(written, written).writeBytes(view.flip()),
          channel.voidPromise());
    }
    giveBack(buffer);
  }

  private static void giveBack(ByteBuf buffer) {
    if (SPARE.get() == null) {
      SPARE.set(buffer);
    } else {
      buffer.release();
    }
  }

  @Override
  public void flush() {
    channel.flush();
  }

  @Override
  public boolean isWritable() {
    return channel.isWritable();
  }

  @Override
  public void close() {
    closeReason = "closed";
    // Behind what has been written: a close is queued like a write.
    channel.writeAndFlush(channel.alloc().buffer(0)).addListener(done -> channel.close());
  }

  @Override
  public void abort() {
    closeReason = "aborted";
    channel.close();
  }

  private void tellClosed() {
    if (!closeTold && listener != null) {
      closeTold = true;
      listener.onClosed(closeReason);
    }
  }

  private RawLinkListener hears() {
    if (listener == null) {
      throw new IllegalStateException("not started");
    }
    return listener;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    ByteBuf data = (ByteBuf) message;
    try {
      hears().onRead(data.nioBuffer());
    } finally {
      data.release();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    hears().onReadComplete();
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (channel.isWritable()) {
      hears().onWritable();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    tellClosed();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    closeReason = String.valueOf(cause.getMessage());
    if (cause instanceof IOException) {
      LOG.debug("link to {} failed", remoteAddress, cause);
    } else {
      LOG.error("link to {} closed: a defect in handling it", remoteAddress, cause);
    }
    channel.close();
  }
}

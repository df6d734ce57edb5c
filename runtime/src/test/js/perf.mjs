// The perf protocol of the libp2p specifications (perf/perf.md), both sides, on js-libp2p streams.

export const PERF_PROTOCOL = '/perf/1.0.0'

const BLOCK_BYTES = 64 * 1024

/** Resolves when the stream takes bytes again; rejects when it closes or the signal aborts. */
function drained (stream, signal) {
  return new Promise((resolve, reject) => {
    const done = (settle) => (value) => {
      stream.removeEventListener('drain', onDrain)
      stream.removeEventListener('close', onClose)
      signal?.removeEventListener('abort', onAbort)
      settle(value)
    }
    const onDrain = done(resolve)
    const onClose = done(() => reject(new Error('the stream closed before all was written')))
    const onAbort = done(() => reject(signal.reason))
    stream.addEventListener('drain', onDrain)
    stream.addEventListener('close', onClose)
    signal?.addEventListener('abort', onAbort)
  })
}

async function writeZeros (stream, count, signal) {
  const block = new Uint8Array(BLOCK_BYTES)
  while (count > 0) {
    const size = Math.min(count, BLOCK_BYTES)
    count -= size
    if (!stream.send(size === BLOCK_BYTES ? block : block.subarray(0, size))) {
      await drained(stream, signal)
    }
  }
}

/** The serving side: reads until the remote closes, then writes as many bytes as its first eight asked for. */
export async function servePerf (stream) {
  try {
    const header = new Uint8Array(8)
    let received = 0
    for await (const chunk of stream) {
      if (received < 8) {
        header.set(chunk.subarray(0, Math.min(8 - received, chunk.byteLength)), received)
      }
      received += chunk.byteLength
    }
    if (received < 8) {
      throw new Error('the remote closed before it said how many bytes it wants')
    }
    await writeZeros(stream, Number(new DataView(header.buffer).getBigUint64(0)))
    await stream.close()
  } catch (err) {
    stream.abort(err)
  }
}

/**
 * The asking side. The upload ends when the remote answers, with its first byte or, when none were asked for, with its
 * close: only then has it read everything. The download ends with its close.
 */
export async function runPerf (stream, uploadBytes, downloadBytes, signal) {
  try {
    const header = new Uint8Array(8)
    new DataView(header.buffer).setBigUint64(0, BigInt(downloadBytes))
    const start = performance.now()
    let answered
    let received = 0
    const writing = (async () => {
      if (!stream.send(header)) {
        await drained(stream, signal)
      }
      await writeZeros(stream, uploadBytes, signal)
      await stream.close({ signal })
    })()
    const reading = (async () => {
      for await (const chunk of stream) {
        answered ??= performance.now()
        received += chunk.byteLength
      }
    })()
    await Promise.all([writing, reading])
    const end = performance.now()
    if (received !== downloadBytes) {
      throw new Error(`asked for ${downloadBytes} bytes and got ${received}`)
    }
    answered ??= end
    return { uploadSeconds: (answered - start) / 1000, downloadSeconds: (end - answered) / 1000 }
  } catch (err) {
    stream.abort(err)
    throw err
  }
}

package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/**
 * Streaming kernels with the traffic of an in-place update and almost no arithmetic: four arrays read, two of them written, 24 bytes an element. The best
 * of them is the memory roof of a run. Never our own kernel: it must not be measured against itself.
 */
final class Roof {
  /** Traffic of one element. */
  static final int BYTES = 24;

  private Roof() {}

  /** All candidates for arrays of n floats on so many threads. */
  static List<Candidate> candidates(Backend host, long n, int threads) {
    List<Candidate> candidates = new ArrayList<>();
    candidates.add(new JavaStream(Math.toIntExact(n), threads));
    if (hasAddresses(host)) {
      candidates.add(new BlasStream(host, n, threads));
    }
    return candidates;
  }

  private static boolean hasAddresses(Backend host) {
    try (F32Buffer probe = host.allocate(16)) {
      return probe.address() != 0;
    } catch (UnsupportedOperationException e) {
      // the Java backend keeps its elements in the heap: only the Java loop can stream over such memory
      return false;
    }
  }

  /** One candidate. */
  interface Candidate extends Contest.Body, AutoCloseable {
    String name();

    @Override
    void close();
  }

  /** a += c, b += d over Java arrays. */
  private static final class JavaStream implements Candidate {
    private final int threads;
    private final float[][] arrays;
    private final ExecutorService pool;
    private final List<Callable<Void>> parts = new ArrayList<>();

    JavaStream(int n, int threads) {
      this.threads = threads;
      arrays = new float[4][n];
      pool = threads > 1 ? Executors.newFixedThreadPool(threads, JavaStream::daemon) : null;
      for (int t = 0; t < threads; t++) {
        int from = (int) ((long) n * t / threads);
        int to = (int) ((long) n * (t + 1) / threads);
        parts.add(
            () -> {
              stream(arrays[0], arrays[1], arrays[2], arrays[3], from, to);
              return null;
            });
      }
    }

    private static Thread daemon(Runnable task) {
      Thread thread = new Thread(task, "roof");
      thread.setDaemon(true);
      return thread;
    }

    private static void stream(float[] a, float[] b, float[] c, float[] d, int from, int to) {
      for (int i = from; i < to; i++) {
        a[i] += c[i];
        b[i] += d[i];
      }
    }

    @Override
    public String name() {
      return "roof: Java loop, 4 read 2 written";
    }

    @Override
    public void run() {
      try {
        if (pool == null) {
          parts.get(0).call();
        } else {
          for (var done : pool.invokeAll(parts)) {
            done.get();
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {
      if (pool != null) {
        pool.shutdown();
      }
    }
  }

  /** Two OpenBLAS saxpy calls over memory of the CPU backend: hand-written vector code on the same pages as our kernels. */
  private static final class BlasStream implements Candidate {
    private final int n;
    private final int threads;
    private final F32Buffer[] buffers = new F32Buffer[4];
    private final FloatPointer[] pointers = new FloatPointer[4];

    BlasStream(Backend host, long n, int threads) {
      this.n = Math.toIntExact(n);
      this.threads = threads;
      for (int i = 0; i < 4; i++) {
        buffers[i] = host.allocate(n);
        // allocated memory is mapped on first touch only
        buffers[i].fill(0);
        pointers[i] = new FloatPointer(new Address(buffers[i].address()));
      }
    }

    @Override
    public String name() {
      return "roof: OpenBLAS saxpy, twice";
    }

    @Override
    public void run() {
      openblas.blas_set_num_threads(threads);
      openblas.cblas_saxpy(n, 1f, pointers[2], 1, pointers[0], 1);
      openblas.cblas_saxpy(n, 1f, pointers[3], 1, pointers[1], 1);
    }

    @Override
    public void close() {
      for (F32Buffer buffer : buffers) {
        buffer.close();
      }
    }
  }

  private static final class Address extends Pointer {
    Address(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }
}

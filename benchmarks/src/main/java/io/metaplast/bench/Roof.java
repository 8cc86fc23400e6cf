package io.metaplast.bench;

import io.metaplast.Backend;
import io.metaplast.F32Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/**
 * Streaming kernels with the traffic of an in-place update and almost no arithmetic: four arrays read, two of them written, 24 bytes an
 * element. The best of them is the memory roof of a run. Never our own kernel: it must not be measured against itself.
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
      candidates.add(new BlasStream(host, Math.toIntExact(n), threads));
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

  /**
   * Equal parts of the range on as many threads, the caller's among them. Own threads: those of BLAS libraries spin after a call and
   * disturb the next.
   */
  private abstract static class Parts implements Candidate {
    private final int n;
    private final int threads;
    private final ExecutorService pool;
    private final List<Callable<Void>> others = new ArrayList<>();

    Parts(int n, int threads) {
      this.n = n;
      this.threads = threads;
      pool = threads > 1 ? Executors.newFixedThreadPool(threads - 1, Parts::daemon) : null;
      for (int t = 1; t < threads; t++) {
        int part = t;
        others.add(
            () -> {
              part(part);
              return null;
            });
      }
    }

    abstract void stream(int from, int to);

    private void part(int t) {
      // multiples of 16 floats keep the parts on their own cache lines
      int from = (int) ((long) n * t / threads) & -16;
      int to = t + 1 == threads ? n : (int) ((long) n * (t + 1) / threads) & -16;
      stream(from, to);
    }

    private static Thread daemon(Runnable task) {
      Thread thread = new Thread(task, "roof");
      thread.setDaemon(true);
      return thread;
    }

    @Override
    public final void run() {
      List<Future<Void>> running = new ArrayList<>(others.size());
      for (Callable<Void> other : others) {
        running.add(pool.submit(other));
      }
      part(0);
      try {
        for (Future<Void> future : running) {
          future.get();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("interrupted", e);
      } catch (ExecutionException e) {
        throw new IllegalStateException(e.getCause());
      }
    }

    @Override
    public void close() {
      if (pool != null) {
        pool.shutdown();
      }
    }
  }

  /** a += c, b += d over Java arrays. */
  private static final class JavaStream extends Parts {
    private final float[][] arrays;

    JavaStream(int n, int threads) {
      super(n, threads);
      arrays = new float[4][n];
    }

    @Override
    public String name() {
      return "roof: Java loop, 4 read 2 written";
    }

    @Override
    void stream(int from, int to) {
      add(arrays[0], arrays[1], arrays[2], arrays[3], from, to);
    }

    private static void add(float[] a, float[] b, float[] c, float[] d, int from, int to) {
      for (int i = from; i < to; i++) {
        a[i] += c[i];
        b[i] += d[i];
      }
    }
  }

  /** Two OpenBLAS saxpy calls over memory of the CPU backend: hand-written vector code on the same kind of pages as our kernels. */
  private static final class BlasStream extends Parts {
    private final F32Buffer[] buffers = new F32Buffer[4];
    private final FloatPointer[] pointers = new FloatPointer[4];

    BlasStream(Backend host, int n, int threads) {
      super(n, threads);
      openblas.blas_set_num_threads(1);
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
    void stream(int from, int to) {
      openblas.cblas_saxpy(to - from, 1f, at(2, from), 1, at(0, from), 1);
      openblas.cblas_saxpy(to - from, 1f, at(3, from), 1, at(1, from), 1);
    }

    private FloatPointer at(int array, int index) {
      return index == 0 ? pointers[array] : pointers[array].getPointer(index);
    }

    @Override
    public void close() {
      super.close();
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

package io.metaplast.internal.spi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the kernel call of one thread uses. The call writes it down, publishes it with one fence, and only then looks which of it is closed; a close marks the
 * resource, fences, and only then looks who uses it. So at least one of the two sees the other: the call throws, or the close leaves the resource to the call's
 * end. That costs a call one fence instead of two atomic operations for each resource:
 *
 * <pre>
 *   uses.add(x);
 *   uses.add(y);
 *   if (uses.publish() &gt;= 0) throw ...
 *   kernel
 *   uses.clear();
 * </pre>
 *
 * Owned by its thread, which alone calls its methods, and reachable from there only: with the thread, what it used is forgotten.
 */
public final class CallUses {
  private static final VarHandle COUNT;
  private static final Set<Reference<CallUses>> ALL = ConcurrentHashMap.newKeySet();
  private static final ReferenceQueue<CallUses> GONE = new ReferenceQueue<>();

  static {
    try {
      COUNT = MethodHandles.lookup().findVarHandle(CallUses.class, "count", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  // From `count` on: what earlier calls used. It is left there, since most calls of a thread use what the call before used, and a reference that is not written
  // costs no barrier of the collector. Read by other threads.
  private UseCounted.State[] states = new UseCounted.State[16];
  private int count;

  public CallUses() {
    for (Reference<?> gone = GONE.poll(); gone != null; gone = GONE.poll()) {
      ALL.remove(gone);
    }
    ALL.add(new WeakReference<>(this, GONE));
  }

  /** Number of resources. */
  public int count() {
    return count;
  }

  /** Adds a resource, unless it is the one added last; false then. Not safe from a close before {@link #publish}. */
  public boolean add(UseCounted resource) {
    UseCounted.State state = resource.state();
    int n = count;
    if (n > 0 && states[n - 1] == state) {
      return false;
    }
    if (n == states.length) {
      states = Arrays.copyOf(states, 2 * n);
    }
    if (states[n] != state) {
      states[n] = state;
    }
    count = n + 1;
    return true;
  }

  /** From here on nothing of what was added is freed before {@link #clear}, unless it was closed already: the number of the first such resource, or -1. */
  public int publish() {
    VarHandle.fullFence();
    int n = count;
    for (int i = 0; i < n; i++) {
      if (states[i].isClosed()) {
        return i;
      }
    }
    return -1;
  }

  /** The call has ended: nothing is used any more. */
  public void clear() {
    COUNT.setRelease(this, 0);
    if (UseCounted.anyWaiting()) {
      UseCounted.freeWaiting();
    }
  }

  /** Whether a call of any thread uses the resource of this state. */
  static boolean anyOf(UseCounted.State state) {
    for (Reference<CallUses> reference : ALL) {
      CallUses uses = reference.get();
      if (uses != null && uses.has(state)) {
        return true;
      }
    }
    return false;
  }

  private boolean has(UseCounted.State state) {
    int n = (int) COUNT.getAcquire(this);
    UseCounted.State[] all = states;
    for (int i = 0; i < n && i < all.length; i++) {
      if (all[i] == state) {
        return true;
      }
    }
    return false;
  }

  /** How many threads are watched. */
  static int known() {
    return ALL.size();
  }
}

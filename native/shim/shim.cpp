#include "shim/shim.h"

#include <sys/mman.h>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define METAPLAST_SHIM_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define METAPLAST_SHIM_ASAN 1
#endif
#endif
#if defined(METAPLAST_SHIM_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

#if defined(__x86_64__)
// Saves the callee-saved registers on the stack and the stack pointer in *save, then continues where `load` was saved. (swapcontext makes a
// system call to keep the signal mask, which would be nearly all of the time of a test.)
extern "C" void metaplast_shim_switch(void** save, void* load);
asm(R"(
  .text
  .type metaplast_shim_switch, @function
metaplast_shim_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size metaplast_shim_switch, . - metaplast_shim_switch
)");
#endif

namespace metaplast {
namespace shim {
namespace {

#if defined(__x86_64__)
class Context {
 public:
  // A first switch to this context calls entry(), which must not return.
  void prepare(unsigned char* stack, std::size_t size, void (*entry)()) {
    void** top = reinterpret_cast<void**>(stack + size) - 1;  // as after a call: 8 bytes off a multiple of 16
    *top = nullptr;
    *--top = reinterpret_cast<void*>(entry);
    for (int i = 0; i < 6; ++i) *--top = nullptr;
    pointer_ = top;
  }
  void switch_to(Context* other) { metaplast_shim_switch(&pointer_, other->pointer_); }

 private:
  void* pointer_ = nullptr;
};
#else
class Context {
 public:
  void prepare(unsigned char* stack, std::size_t size, void (*entry)()) {
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack;
    context_.uc_stack.ss_size = size;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
  }
  void switch_to(Context* other) { swapcontext(&context_, &other->context_); }

 private:
  ucontext_t context_;
};
#endif

constexpr std::size_t kPage = 4096;
#if defined(METAPLAST_SHIM_ASAN)
constexpr std::size_t kStack = 256 * 1024;  // ASan pads every local
#else
constexpr std::size_t kStack = 64 * 1024;
#endif
constexpr std::size_t kGuard = 64;
constexpr unsigned char kCanary = 0xC5;
constexpr unsigned char kPoison = 0xFF;  // NaN as float, -1 as integer
constexpr unsigned kWarp = 32;

std::atomic<int> g_order{0};
std::atomic<int64_t> g_launches{0}, g_blocks{0}, g_barriers{0}, g_warp_operations{0}, g_waits{0};
std::atomic<bool> g_waiting_allowed{false};

enum class State { kNew, kReady, kAtBarrier, kAtWarp, kDone };

struct Fiber {
  Context context;
  unsigned char* stack = nullptr;
  bool idle = true;

  Fiber() {
    // A page without access at the low end catches a kernel body that needs too much stack.
    void* memory = mmap(nullptr, kStack + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE) != 0) std::abort();
    stack = static_cast<unsigned char*>(memory) + kPage;
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { munmap(stack - kPage, kStack + kPage); }
};

struct Thread {
  Position position;
  State state = State::kNew;
  Fiber* fiber = nullptr;
  unsigned number = 0;
  unsigned mask = 0;
  int line = 0;
  Reduce reduce = Reduce::kNone;
  uint64_t value = 0;
};

uint64_t mix(uint64_t x) {  // splitmix64
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

void fill_order(int order, uint64_t salt, std::vector<unsigned>* out) {
  const std::size_t n = out->size();
  for (std::size_t i = 0; i < n; ++i) (*out)[i] = static_cast<unsigned>(order == 1 ? n - 1 - i : i);
  if (order < 2) return;
  uint64_t state = mix(salt + (static_cast<uint64_t>(order) << 32));
  for (std::size_t i = n; i > 1; --i) {
    state = mix(state);
    std::swap((*out)[i - 1], (*out)[state % i]);
  }
}

class Executor {
 public:
  const char* run(Dim3 grid, Dim3 block, std::size_t shared_bytes, void (*body)(const void*), const void* arguments) {
    message_.clear();
    failed_ = false;
    body_ = body;
    arguments_ = arguments;
    const std::size_t count = static_cast<std::size_t>(block.x) * block.y * block.z;
    if (count == 0 || count > 1024 || grid.x == 0 || grid.x > 0x7fffffffu || grid.y == 0 || grid.y > 65535 || grid.z == 0 ||
        grid.z > 65535 || shared_bytes > 48 * 1024) {
      message_ = "launch outside the limits of CUDA";
      return message_.c_str();
    }
    ++g_launches;
    const int order = g_order.load();
    threads_.assign(count, Thread());
    order_.resize(count);
    const std::size_t blocks = static_cast<std::size_t>(grid.x) * grid.y * grid.z;
    std::vector<unsigned> block_order(blocks);
    fill_order(order, 1, &block_order);
    for (std::size_t b = 0; b < blocks && !failed_; ++b) {
      const unsigned linear = block_order[b];
      fill_order(order, linear + 2, &order_);
      for (std::size_t t = 0; t < count; ++t) {
        Thread& thread = threads_[t];
        thread = Thread();
        thread.number = static_cast<unsigned>(t);
        thread.position.grid_dim = grid;
        thread.position.block_dim = block;
        thread.position.block = {linear % grid.x, linear / grid.x % grid.y, linear / grid.x / grid.y};
        const unsigned u = static_cast<unsigned>(t);
        thread.position.thread = {u % block.x, u / block.x % block.y, u / block.x / block.y};
      }
      // Exactly the size that was asked for, so that ASan sees a step outside as well.
      shared_.reset(new unsigned char[shared_bytes + 2 * kGuard + 16]);
      unsigned char* raw = shared_.get();
      std::size_t skip = (16 - reinterpret_cast<uintptr_t>(raw + kGuard) % 16) % 16;
      shared_base_ = raw + kGuard + skip;
      std::memset(raw, kCanary, shared_bytes + 2 * kGuard + 16);
      std::memset(shared_base_, kPoison, shared_bytes);
      run_block();
      ++g_blocks;
      for (std::size_t i = 0; i < shared_bytes + 2 * kGuard + 16 && !failed_; ++i) {
        const bool inside = raw + i >= shared_base_ && raw + i < shared_base_ + shared_bytes;
        if (!inside && raw[i] != kCanary) report("a thread wrote outside of shared memory");
      }
    }
    return failed_ ? message_.c_str() : nullptr;
  }

  const Position& position() const { return running_->position; }
  void* shared() const { return shared_base_; }
  const Thread& running() const { return *running_; }

  [[noreturn]] void fail(const char* message) {
    report(message);
    running_->state = State::kDone;
    leave();
    std::abort();  // a failed block's fibers are never resumed
  }

  int barrier(Reduce reduce, int predicate, int line) {
    Thread* me = running_;
    me->state = State::kAtBarrier;
    me->reduce = reduce;
    me->line = line;
    me->value = predicate != 0;
    leave();
    return reduced_;
  }

  void rendezvous(unsigned mask, uint64_t value, int line) {
    Thread* me = running_;
    me->state = State::kAtWarp;
    me->mask = mask;
    me->line = line;
    me->value = value;
    leave();
  }

  uint64_t published(int lane) const { return published_[running_->number / kWarp * kWarp + static_cast<unsigned>(lane)]; }

 private:
  static void enter();

  // A fiber takes one thread after the other until one of them has to wait: kernels without barriers need a single fiber.
  void fiber_main() {
    finish_switch();
    Fiber* me = current_;
    for (;;) {
      while (next_ < order_.size() && !failed_) {
        Thread* thread = &threads_[order_[next_++]];
        thread->fiber = me;
        running_ = thread;
        body_(arguments_);
        running_->state = State::kDone;
        ++done_;
      }
      me->idle = true;
      leave();
    }
  }

  void run_block() {
    next_ = 0;
    done_ = 0;
    published_.assign((threads_.size() + kWarp - 1) / kWarp * kWarp, 0);
    for (auto& fiber : fibers_) {
      if (!fiber->idle) prepare(fiber.get());  // left over from a block that failed
    }
    first_idle_ = 0;  // no fiber becomes idle before all threads have begun, but the one in use
    while (next_ < order_.size() && !failed_) resume(idle_fiber());
    while (!failed_ && done_ < threads_.size()) {
      if (!release_warps() && !release_barrier()) {
        report("divergence: not every thread of the block reaches the same barrier, or a lane of a mask never arrives");
        break;
      }
      for (unsigned t : order_) {
        Thread* thread = &threads_[t];
        if (thread->state == State::kReady && !failed_) {
          running_ = thread;
          resume(thread->fiber);
        }
      }
    }
  }

  bool release_warps() {
    bool any = false;
    for (std::size_t begin = 0; begin < threads_.size(); begin += kWarp) {
      for (std::size_t t = begin; t < threads_.size() && t < begin + kWarp; ++t) {
        const Thread& first = threads_[t];
        if (first.state != State::kAtWarp) continue;
        if (!(first.mask >> (t - begin) & 1)) {
          report("a lane takes part in a warp operation whose mask leaves it out");
          return true;
        }
        bool complete = true;
        for (unsigned lane = 0; lane < kWarp; ++lane) {
          if (!(first.mask >> lane & 1)) continue;
          if (begin + lane >= threads_.size()) {
            report("the mask of a warp operation names lanes that do not exist");
            return true;
          }
          const Thread& other = threads_[begin + lane];
          complete = complete && other.state == State::kAtWarp && other.mask == first.mask && other.line == first.line;
        }
        if (!complete) continue;
        ++g_warp_operations;
        const unsigned mask = first.mask;
        for (unsigned lane = 0; lane < kWarp; ++lane) {
          if (!(mask >> lane & 1)) continue;
          published_[begin + lane] = threads_[begin + lane].value;
          threads_[begin + lane].state = State::kReady;
        }
        any = true;
      }
    }
    return any;
  }

  bool release_barrier() {
    const Thread& first = threads_[0];
    int total = 0;
    for (const Thread& thread : threads_) {
      if (thread.state != State::kAtBarrier || thread.line != first.line || thread.reduce != first.reduce) return false;
      total += static_cast<int>(thread.value);
    }
    ++g_barriers;
    reduced_ = first.reduce == Reduce::kOr ? total != 0 : total;
    for (Thread& thread : threads_) thread.state = State::kReady;
    return true;
  }

  Fiber* idle_fiber() {
    for (; first_idle_ < fibers_.size(); ++first_idle_) {
      if (fibers_[first_idle_]->idle) return fibers_[first_idle_].get();
    }
    fibers_.emplace_back(new Fiber());
    prepare(fibers_.back().get());
    return fibers_.back().get();
  }

  void prepare(Fiber* fiber) {
    fiber->context.prepare(fiber->stack, kStack, &Executor::enter);
    fiber->idle = true;
  }

  void resume(Fiber* fiber) {
    fiber->idle = false;
    current_ = fiber;
#if defined(METAPLAST_SHIM_ASAN)
    __sanitizer_start_switch_fiber(&fake_stack_, fiber->stack, kStack);
#endif
    scheduler_.switch_to(&fiber->context);
#if defined(METAPLAST_SHIM_ASAN)
    __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
#endif
  }

  void leave() {
    Fiber* me = current_;
#if defined(METAPLAST_SHIM_ASAN)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, scheduler_stack_, scheduler_stack_size_);
#endif
    me->context.switch_to(&scheduler_);
#if defined(METAPLAST_SHIM_ASAN)
    __sanitizer_finish_switch_fiber(fake, &scheduler_stack_, &scheduler_stack_size_);
#endif
  }

  void finish_switch() {
#if defined(METAPLAST_SHIM_ASAN)
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_stack_, &scheduler_stack_size_);
#endif
  }

  void report(const char* message) {
    if (failed_) return;
    failed_ = true;
    message_ = message;
    if (running_ != nullptr) {
      char where[96];
      std::snprintf(where, sizeof(where), " (block %u,%u thread %u, line %d)", running_->position.block.x, running_->position.block.y,
                    running_->number, running_->line);
      message_ += where;
    }
  }

  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Thread> threads_;
  std::vector<unsigned> order_;
  std::vector<uint64_t> published_;
  std::unique_ptr<unsigned char[]> shared_;
  unsigned char* shared_base_ = nullptr;
  std::string message_;
  bool failed_ = false;
  void (*body_)(const void*) = nullptr;
  const void* arguments_ = nullptr;
  Context scheduler_;
  Fiber* current_ = nullptr;
  Thread* running_ = nullptr;
  std::size_t next_ = 0, done_ = 0, first_idle_ = 0;
  int reduced_ = 0;
#if defined(METAPLAST_SHIM_ASAN)
  void* fake_stack_ = nullptr;
  const void* scheduler_stack_ = nullptr;
  std::size_t scheduler_stack_size_ = 0;
#endif
};

thread_local std::unique_ptr<Executor> t_executor;

void Executor::enter() { t_executor->fiber_main(); }

}  // namespace

void set_order(int order) { g_order = order; }
void allow_waiting(bool allowed) { g_waiting_allowed = allowed; }
void wait_for_block() {
  if (!g_waiting_allowed) fail("a block waits for another one");
  ++g_waits;
  std::this_thread::yield();
}

const char* run(Dim3 grid, Dim3 block, std::size_t shared_bytes, void (*body)(const void*), const void* arguments) {
  if (!t_executor) t_executor.reset(new Executor());
  return t_executor->run(grid, block, shared_bytes, body, arguments);
}

Statistics statistics() { return {g_launches.load(), g_blocks.load(), g_barriers.load(), g_warp_operations.load(), g_waits.load()}; }

const Position& position() { return t_executor->position(); }
void* shared_memory() { return t_executor->shared(); }
void fail(const char* message) { t_executor->fail(message); }
int barrier(Reduce reduce, int predicate, int line) { return t_executor->barrier(reduce, predicate, line); }
void warp_rendezvous(unsigned mask, uint64_t value, int line) { t_executor->rendezvous(mask, value, line); }
uint64_t published(int lane) { return t_executor->published(lane); }
int lane() { return static_cast<int>(t_executor->running().number % kWarp); }

}  // namespace shim
}  // namespace metaplast

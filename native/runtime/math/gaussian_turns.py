#!/usr/bin/env python3
"""Writes gaussian_turns.inc and gaussian_turns_constants.inc: gaussian_turns.py FOLDER [key=value ...].

Without keys the tracked files come out, byte for byte. Other keys (see DEFAULTS) give other schedules with the same results: time them, the model is
not exact. Fails where operations or registers do not fit.
"""
import random
import struct
import sys
from dataclasses import dataclass, field

# interval: cycles between the starts of two halves; angle_wait: cycles before the angle part begins; root_cycles: how long vsqrtps holds a multiplier;
# width: operations of all kinds a cycle; jitter, seed: random delays of the wished cycles.
DEFAULTS = dict(interval=29, angle_wait=59, root_cycles=2, width=5, jitter=4, seed=489073)

FIXED = {'M0': 31, 'M1': 30, 'R1': 29, 'R2': 28}  # registers set before the loop: multipliers, kept bits of word 0 and of the angle
REGISTERS = 28
BROADCAST = '%{{1to16%}}'


def float_bits(x):
    return struct.unpack('<I', struct.pack('<f', x))[0]


def bits_float(x):
    return struct.unpack('<f', struct.pack('<I', x))[0]


@dataclass(eq=False)
class Op:
    """kind: M multiplier, A adder, X any unit, Q square root, L load, S store, Z renamed move."""
    index: int
    dst: str
    text: str
    srcs: list
    kind: str
    latency: int
    tie: str  # source whose register is overwritten
    slot: tuple  # (value, cycles): loads what the store of value wrote at least so many cycles after the value
    late: bool  # as near to its first user as possible
    after: str  # must follow the operation that makes this value
    users: list = field(default_factory=list)


class Half:
    """The operations of 32 values."""

    def __init__(self, angle_wait):
        self.ops, self.made, self.constants, self.offsets = [], {}, [], {}
        self.philox()
        self.radius()
        self.angle(angle_wait)
        for op in self.ops:
            for other, _ in self.before(op):
                other.users.append(op)

    def op(self, dst, text, srcs=(), kind='X', latency=2, tie=None, slot=None, late=False, after=None):
        op = Op(len(self.ops), dst, text, list(srcs), kind, latency, tie, slot, late, after)
        self.ops.append(op)
        if dst:
            self.made[dst] = op

    def constant(self, bits):
        if bits not in self.offsets:
            self.offsets[bits] = 4 * len(self.constants)
            self.constants.append(bits)
        return f'{self.offsets[bits]}(%[c]){BROADCAST}'

    def mul(self, dst, a, b):
        self.op(dst, 'vmulps {1}, {0}, {d}', [a, b], 'M', 3)

    def mul_constant(self, dst, a, bits, late=False):
        self.op(dst, f'vmulps {self.constant(bits)}, {{0}}, {{d}}', [a], 'M', 3, late=late)

    def add_constant(self, dst, a, bits):
        self.op(dst, f'vaddps {self.constant(bits)}, {{0}}, {{d}}', [a], 'A')

    def words(self, dst, text, srcs, tie=None, after=None):
        self.op(dst, text, srcs, tie=tie, after=after)

    def product(self, dst, a, multiplier):
        self.op(dst, 'vpmuludq {1}, {0}, {d}', [a, multiplier], 'M', 3)

    def high(self, dst, a):
        self.words(dst, 'vpshufd $0xf5, {0}, {d}', [a])

    def xor_key(self, dst, key, a, b):
        self.words(dst, f'vpternlogd $0x96, {{KEY_{key}}}(%[k]){BROADCAST}, {{1}}, {{d}}', [a, b], tie=a)

    def philox(self):
        """Rounds 2 (its second product) to 10 of 8 blocks; c, p, s: counter words, products and their high words, by round."""
        self.op('p0s', 'vmovdqa64 {SHARED0}(%[counters]), {d}', kind='L', latency=8)
        self.op('h1s', 'vmovdqa64 {SHARED2}(%[counters]), {d}', kind='L', latency=8)
        self.words('c2_2', f'vpxord 0(%[stream]){BROADCAST}, {{0}}, {{d}}', ['p0s'])
        self.words('c0_2', f'vpxord 4(%[stream]){BROADCAST}, {{0}}, {{d}}', ['h1s'])
        self.product('p1_2', 'c2_2', 'M1')
        self.product('p0_2', 'c0_2', 'M0')
        self.op('p1s', 'vmovdqa64 {SHARED1}(%[counters]), {d}', kind='L', latency=8, late=True)
        self.high('s1_2', 'p1_2')
        self.high('s0_2', 'p0_2')
        self.xor_key('c0_3', '0_2', 's1_2', 'p1s')
        self.words('c2_3', f'vpxord 8(%[stream]){BROADCAST}, {{0}}, {{d}}', ['s0_2'])
        for r in range(3, 10):
            self.product(f'p0_{r}', f'c0_{r}', 'M0')
            self.product(f'p1_{r}', f'c2_{r}', 'M1')
            if r < 9:
                self.high(f's0_{r}', f'p0_{r}')
                self.high(f's1_{r}', f'p1_{r}')
                self.xor_key(f'c2_{r + 1}', f'1_{r}', f's0_{r}', f'p0_{r - 1}')
                self.xor_key(f'c0_{r + 1}', f'0_{r}', f's1_{r}', f'p1_{r - 1}')
        # Words 0 and 2 of a block in one vector, 1 and 3 in the other: k1 odd, k2 even places.
        self.words('L', 'vpshufd $0xa0, {1}, {d}%{{%%k1%}}', ['p1_8', 'p0_8'], tie='p1_8')
        self.op('p0c', 'vmovdqa64 {0}, {d}', ['p0_9'], 'Z', 0)
        self.words('H', 'vpshufd $0xf5, {1}, {d}%{{%%k2%}}', ['p0c', 'p1_9'], tie='p0c')
        self.words('second', 'vpshufd $0xa0, {1}, {d}%{{%%k1%}}', ['p1_9', 'p0_9'], tie='p1_9', after='H')
        self.words('first', 'vpternlogq $0x96, {KEY_9}(%[k])%{{1to8%}}, {1}, {d}', ['H', 'L'], tie='H')

    def radius(self):
        """sqrt(-2 log(u)) after elementary.h, but f is half of the one there; powers of two in the coefficients make up for it."""
        sqrt_half = 0x3F3504F3
        self.words('q0', f'vpaddd {self.constant(0x20000000)}, {{0}}, {{d}}', ['second'])
        self.op(None, 'vmovdqa64 {0}, {ANGLE}(%[q])', ['q0'], 'S', 1)
        self.words('k24', f'vpternlogd $0xea, {self.constant(0x00000100)}, {{1}}, {{d}}', ['first', 'R1'], tie='first')
        self.op('kf', 'vcvtudq2ps {0}, {d}', ['k24'], 'A', 3)
        self.words('b', f'vpsubd {self.constant(sqrt_half + (32 << 23) - (127 << 23) & 0xffffffff)}, {{0}}, {{d}}', ['kf'])
        self.words('bm', f'vpandd {self.constant(0x007fffff)}, {{0}}, {{d}}', ['b'])
        self.words('m', f'vpaddd {self.constant(sqrt_half - (1 << 23))}, {{0}}, {{d}}', ['bm'])
        self.op('f', f'vsubps {self.constant(float_bits(0.5))}, {{0}}, {{d}}', ['m'], 'A')
        self.op(None, 'vmovdqa64 {0}, {F}(%[q])', ['f'], 'S', 1)
        self.op(None, 'vmovdqa64 {0}, {B}(%[q])', ['b'], 'S', 1)
        self.op('bl', 'vmovdqa64 {B}(%[q]), {d}', kind='L', latency=8, late=True, slot=('b', 10))
        self.op('e', 'vgetexpps {0}, {d}', ['bl'], 'A', 3, late=True)
        self.op('fl', 'vmovdqa64 {F}(%[q]), {d}', kind='L', latency=8, late=True, slot=('f', 10))
        coefficients = [0x3D5A0998, 0xBDDF9EB1, 0x3DF8066A, 0xBE0080A8, 0x3E1181B7, 0xBE2A978C, 0x3E4CD2A0, 0xBE800038, 0x3EAAAAA4]
        coefficients = [float_bits(bits_float(c) * 4 * 2.0 ** (8 - i)) for i, c in enumerate(coefficients)]
        self.op('zz', 'vmulps {0}, {0}, {d}', ['fl'], 'M', 3, late=True)
        self.op('fz', 'vmulps {1}, {0}, {d}', ['fl', 'zz'], 'M', 3, late=True)
        self.mul_constant('pm0', 'f', coefficients[0])
        self.add_constant('pa0', 'pm0', coefficients[1])
        for i in range(2, 9):
            self.mul(f'pm{i - 1}', f'pa{i - 2}', 'f')
            self.add_constant(f'pa{i - 1}', f'pm{i - 1}', coefficients[i])
        self.mul('fzp', 'pa7', 'fz')
        self.mul_constant('elo', 'e', float_bits(bits_float(0xB9DE8083) / 4), late=True)
        self.op('r1', 'vaddps {1}, {0}, {d}', ['fzp', 'elo'], 'A')
        self.op('r2', 'vsubps {1}, {0}, {d}', ['r1', 'zz'], 'A')
        self.op('r3', 'vaddps {1}, {0}, {d}', ['r2', 'fl'], 'A')
        self.mul_constant('ehi', 'e', float_bits(bits_float(0xBFB18000) / 4), late=True)
        self.op('r4', 'vsubps {1}, {0}, {d}', ['ehi', 'r3'], 'A')
        self.op('rad', 'vsqrtps {0}, {d}', ['r4'], 'Q', 14)

    def angle(self, wait):
        """Sine and cosine (doubled), their signs and choice from the word's upper bits, the product with the radius."""
        sine = [float_bits(2 * bits_float(c)) for c in (0xC2998CC7, 0x42A34052, 0xC2255E12, 0x40C90FDB)]
        cosine = [float_bits(2 * bits_float(c)) for c in (0x426A7BF7, 0xC2AAD95B, 0x4281E0D8, 0xC19DE9E6, 0x3F800000)]
        self.op('q', 'vmovdqa64 {ANGLE}(%[q]), {d}', kind='L', latency=8, slot=('q0', wait))
        self.op('q2', 'vmovdqa64 {ANGLE}(%[q]), {d}', kind='L', latency=8, late=True, slot=('q0', 20))
        self.op('qs', 'vpsrld $8, {0}, {d}', ['q'], 'A')
        self.words('qt', f'vpternlogd $0xea, {self.constant(0x3f000001)}, {{1}}, {{d}}', ['qs', 'R2'], tie='qs')
        self.op('t', f'vsubps {self.constant(float_bits(0.625))}, {{0}}, {{d}}', ['qt'], 'A')
        self.op('y', 'vmulps {0}, {0}, {d}', ['t'], 'M', 3)
        for name, c in (('s', sine), ('c', cosine)):
            self.mul_constant(f'{name}m0', 'y', c[0])
            self.add_constant(f'{name}a0', f'{name}m0', c[1])
        for name, c in (('s', sine), ('c', cosine)):
            for i in range(1, len(c) - 1):
                self.mul(f'{name}m{i}', f'{name}a{i - 1}', 'y')
                self.add_constant(f'{name}a{i}', f'{name}m{i}', c[i + 1])
        self.mul('s', 'sa2', 't')
        self.op('K', f'vptestmd {self.constant(0x40000000)}, {{0}}, %%k{{d}}', ['q2'], 'M', 6, late=True)
        self.words('yy', 'vblendmps {1}, {0}, {d}%{{%%k{2}%}}', ['s', 'ca3', 'K'])
        self.words('cx', f'vxorps {self.constant(0x80000000)}, {{1}}, {{d}}%{{{{%%k{{2}}%}}}}', ['ca3', 's', 'K'], tie='ca3', after='yy')
        self.words('rs', f'vpternlogd $0x78, {self.constant(0x80000000)}, {{1}}, {{d}}', ['rad', 'q2'], tie='rad')
        self.mul('z0', 'cx', 'rs')
        self.mul('z1', 'yy', 'rs')
        self.words('lo', 'vunpcklps {1}, {0}, {d}', ['z0', 'z1'])
        self.words('hi_', 'vunpckhps {1}, {0}, {d}', ['z0', 'z1'])
        self.op(None, 'vmovups {0}, {Z0}(%[z], %[base])', ['lo'], 'S', 1)
        self.op(None, 'vmovups {0}, {Z1}(%[z], %[base])', ['hi_'], 'S', 1)

    def before(self, op):
        """(operation, cycles) that op must follow. An addition is ready for another one a cycle earlier than for the rest."""
        def adds(o):
            return o.text.startswith(('vaddps', 'vsubps'))
        result = [(self.made[s], 3 if adds(self.made[s]) and not adds(op) else self.made[s].latency) for s in op.srcs if s in self.made]
        if op.after:
            result.append((self.made[op.after], 0))
        if op.slot:
            result.append((self.made[op.slot[0]], op.slot[1]))
        return result


class Units:
    """What is taken in each cycle of the interval."""

    def __init__(self, interval, width, root_cycles):
        self.interval, self.width, self.root_cycles, self.used = interval, width, root_cycles, {}

    def get(self, kind, t):
        return self.used.get((kind, t % self.interval), 0)

    def fits(self, op, t):
        if op.kind in 'LSZ':
            return op.kind == 'Z' or self.get(op.kind, t) < {'L': 2, 'S': 1}[op.kind]
        if self.get('all', t) >= self.width:
            return False
        if op.kind == 'Q':
            return all(self.get('M', t + j) < 2 for j in range(self.root_cycles))
        return op.kind == 'X' or self.get(op.kind, t) < 2

    def take(self, op, t, count=1):
        kinds = {'L': ['L'], 'S': ['S'], 'Z': [], 'X': ['all'], 'Q': ['all']}.get(op.kind, ['all', op.kind])
        for key in [(k, t % self.interval) for k in kinds] + [('M', (t + j) % self.interval) for j in range(self.root_cycles) if op.kind == 'Q']:
            self.used[key] = self.used.get(key, 0) + count


def place(half, p):
    """The cycle of each operation."""
    rnd, ops, interval = random.Random(p['seed']), half.ops, p['interval']
    wish = {}
    for op in ops:
        wish[op] = max([wish[other] + cycles for other, cycles in half.before(op)], default=0)
    for op in reversed(ops):
        if op.late or (op.kind in 'LZ' and op.slot is None):
            wish[op] = max(wish[op], min(wish[u] for u in op.users) - op.latency)
    for op in ops:
        if not op.late:
            wish[op] += rnd.random() * p['jitter']
    pending = sorted(ops, key=lambda op: (wish[op], op.index))
    units, time = Units(interval, p['width'], p['root_cycles']), {}
    while pending:
        op = next(o for o in pending if all(other in time for other, _ in half.before(o)))
        pending.remove(op)
        t = max([int(wish[op])] + [time[other] + cycles for other, cycles in half.before(op)])
        for t in range(t, t + interval + 1):
            if units.fits(op, t):
                break
        else:
            raise SystemExit(f'no unit free for {op.text}')
        units.take(op, t)
        time[op] = t
    # Later, where that shortens the lives of values.
    for _ in range(4):
        for op in sorted(ops, key=lambda o: -time[o]):
            if not op.users or op.kind == 'S' or (op.slot and not op.late):
                continue
            ends = sum(1 for s in set(op.srcs) if s in half.made and max(time[u] for u in half.made[s].users) <= time[op])
            if (ends and not op.late) or (ends > 1 and not op.tie):
                continue
            limit = min(time[u] - (u.slot[1] if u.slot else op.latency) for u in op.users)
            if any(u.after == op.dst for u in op.users):
                limit = min(limit, min(time[u] for u in op.users))
            units.take(op, time[op], -1)
            time[op] = next((t for t in range(limit, time[op], -1) if units.fits(op, t)), time[op])
            units.take(op, time[op])
    return time


@dataclass(eq=False)
class Instance:
    op: Op
    half: int
    time: int
    position: int
    stage: int  # turns after the one that started these values
    index: int = 0


def in_order(half, time, interval):
    """Both halves' operations in the order of the loop's text."""
    turn = 2 * interval
    loop = [Instance(op, h, t, t % turn, t // turn) for h in (0, 1) for op in half.ops for t in [time[op] + h * interval]]
    loop.sort(key=lambda x: (x.position, x.op.kind != 'L', x.time, x.op.index))
    of = {(x.op, x.half): x for x in loop}
    for _ in range(200):
        for i, x in enumerate(loop):
            x.index = i
        moved = None
        for x in loop:
            earlier = [other for other, _ in half.before(x.op)]
            if x.op.tie:
                earlier += [u for u in half.made[x.op.tie].users if u is not x.op]  # readers of what is overwritten
            for other in earlier:
                y = of[other, x.half]
                if (y.stage, y.index) >= (x.stage, x.index):
                    moved = y, x
            if moved:
                break
        if not moved:
            return loop, of
        loop.remove(moved[1])
        loop.insert(loop.index(moved[0]) + 1, moved[1])
    raise SystemExit('no order')


def registers(half, loop, of):
    """Register of each (value, half). Lives are arcs of a circle of len(loop) places; tied values share one."""
    n, root = len(loop), {}

    def moment(x):
        return x.stage * n + x.index

    def find(v):
        while v in root:
            v = root[v]
        return v

    lives = {}
    for h in (0, 1):
        for op in half.ops:
            if op.tie:
                root[find((op.dst, h))] = find((op.tie, h))
    for h in (0, 1):
        for op in half.ops:
            if op.dst:
                begin = moment(of[op, h])
                end = max([moment(of[u, h]) for u in op.users if op.dst in u.srcs] or [begin + 1])
                old = lives.get(find((op.dst, h)), (begin, end))
                lives[find((op.dst, h))] = min(old[0], begin), max(old[1], end)
    lives = {v: life for v, life in lives.items() if v[0] != 'K'}
    for v, (begin, end) in lives.items():
        if end - begin >= n:
            raise SystemExit(f'{v} lives longer than a turn')
    places = {v: {i % n for i in range(*life)} for v, life in lives.items()}
    cut = min(range(n), key=lambda i: sum(i in p for p in places.values()))
    for attempt in range(40):
        rnd, busy, register = random.Random(attempt), [set() for _ in range(REGISTERS)], {}
        across = [v for v in lives if cut in places[v]]
        rest = sorted((v for v in lives if v not in across), key=lambda v: (lives[v][0] - cut) % n)
        rnd.shuffle(across)
        for v in across + rest:
            free = [r for r in range(REGISTERS) if not busy[r] & places[v]]
            if not free:
                break

            def gap(r):
                i, g = (lives[v][0] - 1) % n, 0
                while i not in busy[r] and g < n:
                    g, i = g + 1, (i - 1) % n
                return g
            register[v] = min(free, key=lambda r: (gap(r), rnd.random()))
            busy[register[v]] |= places[v]
        else:
            return lambda value, h: register[find((value, h))]
    raise SystemExit('too few registers')


def text(half, loop, of, register):
    keys = [f'0_{r}' for r in range(2, 9)] + [f'1_{r}' for r in range(3, 9)]
    offsets = {f'KEY_{key}': 4 * i for i, key in enumerate(keys)}
    offsets['KEY_9'] = 56
    out = ['"xor $512, %[q]\\n\\t"', '"xor $512, %[p]\\n\\t"', '"mov 0(%[turn]), %[counters]\\n\\t"', '"mov 8(%[turn]), %[stream]\\n\\t"']

    def name(value, h):
        if value == 'K':
            return str(3 + h)
        return f'%%zmm{FIXED[value] if value in FIXED else register(value, h)}'
    for x in loop:
        op, h = x.op, x.half
        places = dict(offsets, SHARED0=192 * h, SHARED1=192 * h + 64, SHARED2=192 * h + 128, ANGLE=64 * h, F=128 + 64 * h, B=256 + 64 * h,
                      Z0=128 * h, Z1=128 * h + 64)
        line = op.text.format(*[name(s, h) for s in op.srcs], d=name(op.dst, h) if op.dst else '', **places)
        if op.slot:
            store = of[next(o for o in half.ops if o.dst is None and o.srcs == [op.slot[0]]), h]
            turns = (x.stage * len(loop) + x.index - store.stage * len(loop) - store.index) / len(loop)
            if not 0 < turns < 2:
                raise SystemExit(f'slot of {op.slot[0]} read too late')
            if (x.stage - store.stage) % 2:
                line = line.replace('%[q]', '%[p]')
        if ('%[counters]' in line or '%[stream]' in line) and x.stage != 0:
            raise SystemExit('counters read after the turn that starts')
        if '%[z]' in line:
            out.append(f'"mov {16 - 24 * x.stage}(%[turn]), %[z]\\n\\t"')
        out.append(f'"{line}\\n\\t"  // {h}: {op.dst or "store " + op.srcs[0]}')
    return out


def main():
    p = dict(DEFAULTS)
    for argument in sys.argv[2:]:
        key, value = argument.split('=')
        p[key] = type(DEFAULTS[key])(value)
    half = Half(p['angle_wait'])
    loop, of = in_order(half, place(half, p), p['interval'])
    if max(x.stage for x in loop) != 3:
        raise SystemExit('not three turns under way: kTurnsUnderWay')
    lines = [
        '// One turn (gaussian_turns.h), written by gaussian_turns.py. Registers: zmm28 to zmm31, k1, k2 as set before the loop; k3 and k4 quadrants; zmm0 to',
        '// zmm27 values of all turns under way, each free again after its last use. Comments: half, value. Slots hold the angle word q, f and the exponent',
        '// source b of each half.']
    lines += text(half, loop, of, registers(half, loop, of))
    with open(f'{sys.argv[1]}/gaussian_turns.inc', 'w') as f:
        f.write('\n'.join(lines) + '\n')
    words = [f'0x{c:08x}u' for c in half.constants]
    lines = [
        "// Coefficients and masks in the order gaussian_turns.inc addresses them: elementary.h's, f's halved argument and the factor 2 of sine and cosine folded in.",
        'constexpr uint32_t kTurnConstants[] = {']
    lines += ['    ' + ', '.join(words[i:i + 10]) + ',' for i in range(0, len(words), 10)] + ['};']
    with open(f'{sys.argv[1]}/gaussian_turns_constants.inc', 'w') as f:
        f.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()

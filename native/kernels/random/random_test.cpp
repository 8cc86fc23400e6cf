// Philox words, uniforms and Gaussians: known answers of Random123, golden hashes, every start inside a block, far addresses.
#include "testing/reference.h"
#include "testing/testing.h"

using namespace metaplast::testing;  // NOLINT: a test of these names

namespace {

struct Address {
  uint64_t seed;
  uint32_t stream;
  uint32_t step;
  uint64_t first;
};

void check_from(const Address& a) {
  std::vector<uint32_t> words(kMostElements);
  std::vector<float> uniforms(kMostElements), normals(kMostElements);
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = ref_philox(a.seed, a.stream, a.step, a.first + i);
    uniforms[i] = ref_uniform(words[i]);
    normals[i] = ref_gaussian(a.seed, a.stream, a.step, a.first + i);
  }
  check_elementwise("philox_u32", {output_words("out", words)}, [=](const metaplast_context_t* c, int64_t n, void* const* p) {
    return metaplast_philox_u32(c, a.seed, a.stream, a.step, a.first, n, static_cast<uint32_t*>(p[0]));
  });
  check_elementwise("uniform", {output("out", uniforms)}, [=](const metaplast_context_t* c, int64_t n, void* const* p) {
    return metaplast_uniform_f32(c, a.seed, a.stream, a.step, a.first, n, static_cast<float*>(p[0]));
  });
  check_elementwise("gaussian", {output("out", normals)}, [=](const metaplast_context_t* c, int64_t n, void* const* p) {
    return metaplast_gaussian_f32(c, a.seed, a.stream, a.step, a.first, n, static_cast<float*>(p[0]));
  });
}

}  // namespace

int main() {
  for (int32_t tier : tiers()) {
    const Context context(tier, 1);
    struct Known {
      Address address;
      uint32_t words[4];
    };
    const Known known[] = {
        {{0, 0, 0, 0}, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
        {{0, 0, 0, 4}, {0xf8e4cca4u, 0x5cb200dbu, 0xb1a574ebu, 0x097eff67u}},
    };
    for (const Known& k : known) {
      uint32_t words[4];
      metaplast_philox_u32(context, k.address.seed, k.address.stream, k.address.step, k.address.first, 4, words);
      for (int j = 0; j < 4; ++j) {
        expect(words[j] == k.words[j], "%s: known answer %08x, seen %08x", tier_name(tier), k.words[j], words[j]);
      }
    }
    const auto hash_of = [&](const Address& a, int64_t n) {
      std::vector<float> z(static_cast<size_t>(n));
      metaplast_gaussian_f32(context, a.seed, a.stream, a.step, a.first, n, z.data());
      Fnv fnv;
      for (float x : z) {
        fnv.add(x);
      }
      return fnv.value();
    };
    expect(hash_of({42, 0, 0, 0}, 4096) == 0x9d10458221ed9892u, "%s: golden hash 1", tier_name(tier));
    expect(hash_of({42, 1283, 17, 1}, 1000) == 0x14c775f008fdfa0fu, "%s: golden hash 2", tier_name(tier));

    uint32_t word = 7;
    expect(metaplast_philox_u32(context, 1, 2, 3, ~uint64_t{0}, 1, &word) == METAPLAST_OK && word == ref_philox(1, 2, 3, ~uint64_t{0}),
           "%s: the last element of a stream", tier_name(tier));
    expect(metaplast_philox_u32(context, 1, 2, 3, ~uint64_t{0}, 2, &word) == METAPLAST_E_ARGUMENT, "%s: past 2^64", tier_name(tier));
  }
  check_from({0x0123456789abcdefu, 5 * 256 + 3, 77, 0});
  check_from({~uint64_t{0}, ~uint32_t{0}, ~uint32_t{0}, 3});
  // The low counter word wraps from 2^32-1 blocks on: element 2^34.
  for (uint64_t back : {1, 61, 1030, 100001}) {
    check_from({42, 9, 1, (uint64_t{1} << 34) - back});
  }
  return finish("random_test");
}

// Weights into panels (panels.h).
#include "bf16.h"

using namespace recsys;

// W [outputs, inputs] in panels of 32 outputs, zeros behind the last.
RS_EXPORT void rs_pack_panels(const float* w, int64_t outputs, int64_t inputs, float* panels) {
  for (int64_t o = 0; o < whole(outputs, kPanel); o++) {
    for (int64_t i = 0; i < inputs; i++) panels[(o / kPanel * inputs + i) * kPanel + o % kPanel] = o < outputs ? w[o * inputs + i] : 0;
  }
}

// The same in bf16, pairs of inputs together.
RS_EXPORT void rs_pack_half(const float* w, int64_t outputs, int64_t inputs, uint32_t* panels) {
  int64_t pairs = (inputs + 1) / 2;
  auto rounded = [](float v) {
    BFloat16 half;
    narrow(v, half);
    return static_cast<uint32_t>(half.x);
  };
  for (int64_t o = 0; o < whole(outputs, kPanel); o++) {
    for (int64_t k = 0; k < pairs; k++) {
      const float* pair = w + o * inputs + 2 * k;
      panels[(o / kPanel * pairs + k) * kPanel + o % kPanel] = o < outputs ? rounded(pair[0]) | (2 * k + 1 < inputs ? rounded(pair[1]) << 16 : 0) : 0;
    }
  }
}

// Whether this library was built with FAISS; without it, this is the only export of its kind.
#include <cstdint>

extern "C" __attribute__((visibility("default"))) int rs_faiss_available() {
#ifdef RECSYS_FAISS
  return 1;
#else
  return 0;
#endif
}

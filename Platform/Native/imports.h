// What libtorch_cpu.so takes from other libraries, and another function in the place of one of them.
#pragma once

#include <initializer_list>

namespace recsys {

struct Replacement {
  const char* name;
  void* with;
};

// The function of that name as libtorch_cpu.so and the libraries under it see it; null where there is none.
void* import_of_torch(const char* name);

// Whether libtorch_cpu.so itself takes the name from another library.
bool torch_imports(const char* name);

// From here on libtorch_cpu.so, and it alone, calls these instead. Names that it does not import are passed over. Called while the
// library is loaded, before anything runs.
void replace_imports_of_torch(const Replacement* first, const Replacement* last);
inline void replace_imports_of_torch(std::initializer_list<Replacement> list) { replace_imports_of_torch(list.begin(), list.end()); }

}  // namespace recsys

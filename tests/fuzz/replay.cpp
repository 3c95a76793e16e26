// SPDX-License-Identifier: BSD-3-Clause
// Drives a fuzz target without libFuzzer, for compilers that do not have it:
//
//     replay [-mutations=N] [-seed=S] [-max_len=N] FILE-OR-FOLDER...
//
// runs each file once, then N mutations of them, drawn from S. The input that fails is left in
// ./failed-input. An input that takes more than 20 s is a failure.

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size,
                                                                size_t max_size, unsigned seed);
extern "C" void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Input = std::vector<uint8_t>;

constexpr unsigned kTimeoutSeconds = 20;

std::mt19937 generator;
const Input* current = nullptr;

size_t below(size_t end) { return end == 0 ? 0 : generator() % end; }

void save_current() {
  if (current != nullptr) {
    std::ofstream("failed-input", std::ios::binary)
        .write(reinterpret_cast<const char*>(current->data()),
               static_cast<std::streamsize>(current->size()));
    fprintf(stderr, "replay: left in ./failed-input\n");
  }
}

void on_signal(int number) {
  fprintf(stderr, "replay: %s\n", number == SIGALRM ? "timeout" : "aborted");
  save_current();
  _exit(1);
}

void run(const Input& input) {
  current = &input;
  alarm(kTimeoutSeconds);
  // A copy of exactly its size: the target gets no byte more than it is told of.
  const Input exact(input);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  alarm(0);
}

Input read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fprintf(stderr, "replay: cannot open %s\n", path.c_str());
    exit(2);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

void read_all(const std::string& path, std::vector<Input>& inputs) {
  DIR* const folder = opendir(path.c_str());
  if (folder == nullptr) {
    inputs.push_back(read_file(path));
    return;
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') {
      names.push_back(path + "/" + entry->d_name);
    }
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    read_all(name, inputs);
  }
}

}  // namespace

/// As libFuzzer's: a small random change. @returns the new size.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size) {
  if (size == 0) {
    data[0] = static_cast<uint8_t>(generator());
    return max_size == 0 ? 0 : 1;
  }
  const size_t at = below(size);
  switch (below(7)) {
    case 0:
      data[at] ^= static_cast<uint8_t>(1u << below(8));
      return size;
    case 1:
      data[at] = static_cast<uint8_t>(generator());
      return size;
    case 2: {  // a word, to what lengths and indices look like
      const uint32_t word = static_cast<uint32_t>(below(2) != 0 ? below(64) : generator());
      memcpy(data + at, &word, std::min<size_t>(4, size - at));
      return size;
    }
    case 3: {  // take out
      const size_t count = 1 + below(std::min<size_t>(16, size - at));
      memmove(data + at, data + at + count, size - at - count);
      return size - count;
    }
    case 4: {  // put in
      const size_t count = std::min<size_t>(1 + below(8), max_size - size);
      memmove(data + at + count, data + at, size - at);
      std::generate_n(data + at, count, [] { return static_cast<uint8_t>(generator()); });
      return size + count;
    }
    case 5: {  // repeat
      const size_t count = std::min({1 + below(64), max_size - size, size - at});
      memmove(data + at + count, data + at, size - at);
      return size + count;
    }
    default: {  // copy within
      const size_t from = below(size);
      memmove(data + at, data + from, 1 + below(std::min<size_t>(32, size - std::max(at, from))));
      return size;
    }
  }
}

int main(int argc, char** argv) {
  unsigned long mutations = 0;
  unsigned seed = 1;
  size_t max_len = 1 << 14;
  std::vector<Input> inputs;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto option = [&](const char* name) {
      return argument.compare(0, strlen(name), name) == 0 ? argv[i] + strlen(name) : nullptr;
    };
    if (const char* value = option("-mutations=")) {
      mutations = strtoul(value, nullptr, 10);
    } else if (const char* value = option("-seed=")) {
      seed = static_cast<unsigned>(strtoul(value, nullptr, 10));
    } else if (const char* value = option("-max_len=")) {
      max_len = strtoul(value, nullptr, 10);
    } else {
      read_all(argument, inputs);
    }
  }
  signal(SIGABRT, on_signal);
  signal(SIGALRM, on_signal);
  __sanitizer_set_death_callback(save_current);
  for (const Input& input : inputs) {
    run(input);
  }
  printf("%zu files", inputs.size());
  fflush(stdout);
  inputs.erase(std::remove_if(inputs.begin(), inputs.end(),
                              [&](const Input& input) { return input.size() > max_len; }),
               inputs.end());
  generator.seed(seed);
  for (unsigned long i = 0; i < mutations && !inputs.empty(); ++i) {
    Input input = inputs[below(inputs.size())];
    for (size_t changes = 1 + below(4); changes > 0; --changes) {
      size_t size = input.size();
      input.resize(std::max<size_t>(max_len, 1));
      size = LLVMFuzzerCustomMutator != nullptr
                 ? LLVMFuzzerCustomMutator(input.data(), size, max_len,
                                           static_cast<unsigned>(generator()))
                 : LLVMFuzzerMutate(input.data(), size, max_len);
      input.resize(size);
    }
    run(input);
  }
  printf(" and %lu mutations: nothing found\n", mutations);
  return 0;
}

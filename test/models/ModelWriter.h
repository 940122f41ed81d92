// What generators of models share: declares weights, invents their numbers, and writes ops into the
// body of the function at hand.
#pragma once

#include "RandomTensor.h"

#include <map>
#include <string>

namespace llmir::test {

/// A model in text, and the tensors that it names.
struct TestModel {
  std::string ir;
  std::map<std::string, RandomTensor> tensors; ///< by source name
  int64_t vocabulary = 0;
  bool onlyFloat = true; ///< no quantised weight: nothing is rounded to integers on the way
};

class ModelWriter {
public:
  explicit ModelWriter(uint64_t seed) : random(seed) {}

  struct Weight {
    std::string symbol, type;
  };
  /// Declares a weight (one per listed layer, if any) with random numbers.
  Weight declare(const char *prefix, Format format, std::vector<int64_t> shape,
                 const std::vector<int64_t> &ofLayers, float mean, float deviation);
  /// The weight as a value; of %layer where `here` lists layers.
  std::string get(const Weight &weight);
  /// Writes one op; gives its result.
  std::string emit(const std::string &op);

  /// A name that no other thing has.
  std::string name(const char *prefix);
  /// The type of activations.
  static std::string act(int64_t columns);

  std::mt19937_64 random;
  TestModel model;
  std::string weights;       ///< the declarations so far
  std::string body;          ///< ops of the function being written
  std::vector<int64_t> here; ///< its layers; empty for @step

private:
  int next = 0;
};

} // namespace llmir::test

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <utility>
#include <vector>

#include "benchmarks/worker/random.h"
#include "benchmarks/workloads/small/expression.h"
#include "benchmarks/workloads/small/small.h"

namespace hakmem::bench {
namespace {

constexpr size_t kForest = 256;         // trees
constexpr size_t kLargestTree = 1000;   // nodes, about
constexpr uint64_t kNodes = 8'000'000;  // to be made, about

// The first fold replaces so many of the variables.
constexpr size_t kKnownSoon = 3;

// A tree and the value that it must have, which was computed beside it.
struct Valued {
  Tree tree;
  Value value;
};

// Builds random trees.
class Builder {
 public:
  Builder(uint64_t seed, const Values& variables)
      : random_(seed), variables_(variables) {}

  // A tree of about `nodes` nodes.
  Valued Build(size_t nodes) {
    if (nodes <= 1) return Leaf();
    switch (random_.Below(6)) {
      case 0:
        return Inner<std::array<Tree, 1>, ComputeComplement>(nodes, 1);
      case 1:
        return Inner<std::array<Tree, 3>, ComputeBlend>(nodes, 3);
      case 2:
        return Inner<std::array<Tree, 6>, ComputePolynomial>(nodes, 6);
      case 3:
        return Inner<std::vector<Tree>, ComputeSum>(
            nodes, 2 + random_.Below(kMostChildren - 1));
      default:
        return Inner<std::array<Tree, 2>, ComputeProduct>(nodes, 2);
    }
  }

  size_t Below(size_t bound) { return random_.Below(bound); }
  Maker& maker() { return maker_; }

 private:
  Valued Leaf() {
    const uint64_t kind = random_.Below(2 * kVariables);
    if (kind < kVariables) {
      return {maker_.Make<Variable>(kind), variables_[kind]};
    }
    const Value value = random_.Next();
    return {maker_.Make<Constant>(value), value};
  }

  // A node of `count` children, which share the other nodes at random.
  template <class Children, class Compute>
  Valued Inner(size_t nodes, size_t count) {
    Children children;
    Value values[kMostChildren];
    size_t left = nodes - 1;
    for (size_t i = 0; i < count; ++i) {
      const size_t siblings = count - i;
      const size_t share =
          siblings == 1 ? left : random_.Below(2 * left / siblings + 1);
      left -= share;
      Valued child = Build(share);
      Put(children, i, std::move(child.tree));
      values[i] = child.value;
    }
    return {maker_.Make<Operation<Children, Compute>>(std::move(children)),
            Compute::Of(values, count)};
  }

  template <size_t count>
  static void Put(std::array<Tree, count>& children, size_t i, Tree child) {
    children[i] = std::move(child);
  }
  static void Put(std::vector<Tree>& children, size_t, Tree child) {
    children.push_back(std::move(child));
  }

  Random random_;
  const Values& variables_;
  Maker maker_;
};

// A tree of the forest, and how often it has been folded.
struct Planted {
  Valued expression;
  int folds;
};

// Whatever is done to a tree, its value stays.
void Check(const Valued& expression, const Values& variables) {
  if (expression.tree->Evaluate(variables) == expression.value) return;
  Die(kAllocatorFailed, "an expression no longer has the value that it had");
}

// Takes a tree to the next of its stages: built, some variables replaced, all
// replaced (which leaves a constant), and gone for a new one.
void Advance(Planted& planted, const Values& variables, Builder& builder) {
  Valued& expression = planted.expression;
  if (expression.tree == nullptr || planted.folds == 2) {
    // First the old one goes.
    expression.tree.reset();
    planted = {builder.Build(1 + builder.Below(kLargestTree)), 0};
    return;
  }
  Check(expression, variables);
  const size_t known = planted.folds == 0 ? kKnownSoon : kVariables;
  FoldTree(expression.tree, {variables, known, builder.maker()});
  ++planted.folds;
  Check(expression, variables);
  if (planted.folds == 2 && !expression.tree->IsConstant()) {
    Die(kAllocatorFailed, "an expression lost its constants");
  }
}

}  // namespace

void ExpressionTrees(Run& run) {
  const uint64_t nodes = run.Scaled(kNodes);
  Random random(run.seed());
  Values variables;
  for (Value& value : variables) value = random.Next();
  Builder builder(random.Next(), variables);
  std::array<Planted, kForest> forest = {};
  for (Planted& planted : forest) Advance(planted, variables, builder);
  const uint64_t before = builder.maker().made();
  run.Start();
  while (builder.maker().made() - before < nodes) {
    Advance(forest[random.Below(kForest)], variables, builder);
  }
  run.Stop();
  run.Count(builder.maker().made() - before);
  run.Finish();
  for (const Planted& planted : forest) Check(planted.expression, variables);
}

}  // namespace hakmem::bench

// Syntax trees of arithmetic as C++ programs have them: nodes of several kinds
// and sizes, each an object with virtual functions that owns its children. What
// ExpressionTrees (small.h) builds.
#ifndef HAKMEM_BENCHMARKS_WORKLOADS_SMALL_EXPRESSION_H_
#define HAKMEM_BENCHMARKS_WORKLOADS_SMALL_EXPRESSION_H_

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <memory>
#include <utility>

namespace hakmem::bench {

inline constexpr size_t kVariables = 8;

using Value = uint64_t;  // arithmetic wraps
using Values = std::array<Value, kVariables>;

class Expression;
using Tree = std::unique_ptr<Expression>;

// Makes nodes and counts them.
class Maker {
 public:
  template <class Node, class... Arguments>
  Tree Make(Arguments&&... arguments) {
    ++made_;
    return std::make_unique<Node>(std::forward<Arguments>(arguments)...);
  }
  uint64_t made() const { return made_; }

 private:
  uint64_t made_ = 0;
};

// What is known when a tree is folded: the first variables.
struct Known {
  const Values& values;
  size_t count;
  Maker& maker;
};

class Expression {
 public:
  virtual ~Expression() = default;
  virtual Value Evaluate(const Values& variables) const = 0;
  virtual bool IsConstant() const { return false; }

  // Folds what is below this node. Returns what is to replace it, or null.
  virtual Tree Fold(const Known& known) = 0;
};

// Folds the tree; what is replaced is deleted.
inline void FoldTree(Tree& tree, const Known& known) {
  if (Tree folded = tree->Fold(known)) tree = std::move(folded);
}

class Constant : public Expression {
 public:
  explicit Constant(Value value) : value_(value) {}
  Value Evaluate(const Values&) const override { return value_; }
  bool IsConstant() const override { return true; }
  Tree Fold(const Known&) override { return nullptr; }

 private:
  const Value value_;
};

class Variable : public Expression {
 public:
  explicit Variable(size_t index) : index_(index) {}
  Value Evaluate(const Values& variables) const override {
    return variables[index_];
  }
  Tree Fold(const Known& known) override {
    if (index_ >= known.count) return nullptr;
    return known.maker.Make<Constant>(known.values[index_]);
  }

 private:
  const size_t index_;
};

// A node has at most so many children.
inline constexpr size_t kMostChildren = 8;

// A node with children in `Children`, an array or a vector of trees.
// `Compute::Of` makes its value out of the children's.
template <class Children, class Compute>
class Operation : public Expression {
 public:
  explicit Operation(Children children) : children_(std::move(children)) {}
  Value Evaluate(const Values& variables) const override {
    Value values[kMostChildren];
    size_t count = 0;
    for (const Tree& child : children_) {
      values[count++] = child->Evaluate(variables);
    }
    return Compute::Of(values, count);
  }
  Tree Fold(const Known& known) override {
    bool all_constant = true;
    for (Tree& child : children_) {
      FoldTree(child, known);
      all_constant = all_constant && child->IsConstant();
    }
    if (!all_constant) return nullptr;
    return known.maker.Make<Constant>(Evaluate(known.values));
  }

 private:
  Children children_;
};

// What follows loses next to nothing of the children's values, so that a wrong
// one shows at the root.
struct ComputeComplement {
  static Value Of(const Value* of, size_t) { return ~of[0]; }
};
struct ComputeProduct {
  static Value Of(const Value* of, size_t) { return (2 * of[0] + 1) * of[1]; }
};
// The first child weighs the others.
struct ComputeBlend {
  static Value Of(const Value* of, size_t) {
    return of[0] * of[1] + (of[0] + 1) * of[2];
  }
};
// Of the first child; the others are its coefficients.
struct ComputePolynomial {
  static Value Of(const Value* of, size_t count) {
    const Value x = 2 * of[0] + 1;
    Value result = 0;
    for (size_t i = 1; i < count; ++i) result = result * x + of[i];
    return result;
  }
};
struct ComputeSum {
  static Value Of(const Value* of, size_t count) {
    Value sum = 0;
    for (size_t i = 0; i < count; ++i) sum += of[i];
    return sum;
  }
};

}  // namespace hakmem::bench

#endif  // HAKMEM_BENCHMARKS_WORKLOADS_SMALL_EXPRESSION_H_

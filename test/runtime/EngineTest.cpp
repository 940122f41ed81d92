// Schedules on the model that remembers: the same output whatever chunk, batch and threads are.
#include "llmir/runtime/engine/Engine.h"
#include "Fixture.h"
#include "llmir/runtime/engine/Evaluate.h"
#include <cstdlib>
#include <gmock/gmock.h>
#include <new>

using namespace llmir;
using testing::HasSubstr;

namespace {

thread_local int64_t allocations = 0;

} // namespace

// Counts what a step allocates; sanitizers bring operators of their own.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define LLMIR_OWN_ALLOCATOR 0
#endif
#endif
#ifndef LLMIR_OWN_ALLOCATOR
void *operator new(size_t size) {
  ++allocations;
  if (void *memory = std::malloc(size))
    return memory;
  throw std::bad_alloc();
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }
#endif

namespace {

std::vector<int32_t> prompt(int number) {
  std::vector<int32_t> tokens;
  for (int i = 0; i < 1 + number * 7 % 40; ++i)
    tokens.push_back((number * 31 + i * 17) % 97);
  return tokens;
}

struct Output {
  std::vector<int32_t> tokens;
  std::optional<FinishReason> reason;
  std::string message;
  bool operator==(const Output &) const = default;
};

Request request(int number, Output &output) {
  Request wanted;
  wanted.prompt = prompt(number);
  wanted.maxTokens = 3 + number * 5 % 20;
  wanted.sampling.temperature = number % 2 ? 0.9f : 0.0f;
  wanted.sampling.seed = uint64_t(number);
  wanted.onToken = [&output](int32_t token) {
    output.tokens.push_back(token);
    return true;
  };
  wanted.onFinish = [&output](FinishReason reason, const std::string &message) {
    output.reason = reason;
    output.message = message;
  };
  return wanted;
}

std::unique_ptr<Session> session(LoadedFixture &fixture, int32_t chunk, int32_t sequences,
                                 int32_t blocks) {
  SessionOptions options;
  options.step = {chunk + sequences, sequences, sequences, 64};
  options.kvBlocks = blocks;
  auto made = Session::create(*fixture.device, *fixture.program, options);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(*made);
}

std::vector<Output> generate(int threads, int32_t chunk, int32_t sequences, int32_t blocks) {
  LoadedFixture fixture(threads);
  auto made = session(fixture, chunk, sequences, blocks);
  Engine engine(*made, chunk);
  std::vector<Output> outputs(12);
  for (size_t i = 0; i < outputs.size(); ++i)
    EXPECT_TRUE(engine.submit(request(int(i), outputs[i])));
  while (engine.step())
    EXPECT_TRUE(made->cache().pool().check());
  EXPECT_EQ(made->cache().pool().freeBlocks(), blocks);
  return outputs;
}

TEST(Engine, OutputDependsOnTheRequestAlone) {
  std::vector<Output> alone = generate(1, 64, 1, 16);
  for (const Output &output : alone)
    EXPECT_EQ(output.reason, FinishReason::MaxTokens);
  EXPECT_EQ(alone[3].tokens.size(), 18u);
  EXPECT_NE(alone[2].tokens, alone[4].tokens);
  EXPECT_EQ(generate(1, 1, 1, 16), alone);
  EXPECT_EQ(generate(1, 7, 3, 64), alone);
  EXPECT_EQ(generate(2, 5, 12, 200), alone);
  EXPECT_EQ(generate(3, 64, 12, 40), alone); // too few blocks for all at once
}

TEST(Engine, AStepAllocatesNothing) {
  LoadedFixture fixture(2);
  auto made = session(fixture, 8, 4, 64);
  Engine engine(*made, 8);
  for (int i = 0; i < 6; ++i) {
    Request wanted;
    wanted.prompt = prompt(i);
    wanted.maxTokens = 12;
    wanted.sampling = {0.7f, 20, 0.9f, 0.05f, 1.1f, 0.1f, 0.1f, 9};
    ASSERT_TRUE(engine.submit(std::move(wanted)));
  }
  int64_t before = allocations;
  engine.run();
  EXPECT_EQ(allocations, before);
}

TEST(Engine, EndTokensCancelAndContext) {
  LoadedFixture fixture(1);
  auto made = session(fixture, 16, 2, 64);
  Engine engine(*made, 16);
  Output plain, ended, cancelled, full, none;
  Request wanted = request(2, plain);
  wanted.maxTokens = 10;
  ASSERT_TRUE(engine.submit(std::move(wanted)));
  engine.run();
  ASSERT_EQ(plain.tokens.size(), 10u);

  wanted = request(2, ended);
  wanted.endTokens = {plain.tokens[4]};
  ASSERT_TRUE(engine.submit(std::move(wanted)));
  wanted = request(2, cancelled);
  wanted.onToken = [&](int32_t token) {
    cancelled.tokens.push_back(token);
    return cancelled.tokens.size() < 3;
  };
  ASSERT_TRUE(engine.submit(std::move(wanted)));
  wanted = request(3, full);
  wanted.maxTokens = INT32_MAX;
  ASSERT_TRUE(engine.submit(std::move(wanted)));
  wanted = request(3, none);
  wanted.maxTokens = 0;
  ASSERT_TRUE(engine.submit(std::move(wanted)));
  engine.run();
  EXPECT_EQ(ended.reason, FinishReason::EndToken);
  EXPECT_EQ(ended.tokens.size(), 4u);
  EXPECT_EQ(cancelled.reason, FinishReason::Cancelled);
  EXPECT_EQ(cancelled.tokens.size(), 3u);
  EXPECT_EQ(full.reason, FinishReason::Context);
  EXPECT_EQ(full.tokens.size(), 64 - prompt(3).size() + 1); // the last one is not computed
  EXPECT_EQ(none.reason, FinishReason::MaxTokens);
  EXPECT_TRUE(none.tokens.empty());
}

TEST(Engine, OneRequestFailsAlone) {
  LoadedFixture fixture(1);
  auto made = session(fixture, 16, 4, 64);
  Engine engine(*made, 16);
  Output alone, bad, good;
  ASSERT_TRUE(engine.submit(request(5, alone)));
  engine.run();
  Request wanted = request(4, bad);
  wanted.onToken = [](int32_t) -> bool { throw std::runtime_error("client is gone"); };
  ASSERT_TRUE(engine.submit(std::move(wanted)));
  ASSERT_TRUE(engine.submit(request(5, good)));
  engine.run();
  EXPECT_EQ(bad.reason, FinishReason::Failed);
  EXPECT_EQ(bad.message, "client is gone");
  EXPECT_EQ(good, alone);
}

TEST(Engine, RefusesBadRequests) {
  LoadedFixture fixture(1);
  auto made = session(fixture, 16, 1, 8);
  Engine engine(*made, 16);
  auto error = [&](std::vector<int32_t> tokens, SamplingOptions sampling = {}) {
    Request wanted;
    wanted.prompt = std::move(tokens);
    wanted.maxTokens = 1;
    wanted.sampling = sampling;
    Status status = engine.submit(std::move(wanted));
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_THAT(error({}), HasSubstr("empty"));
  EXPECT_THAT(error({1, 97}), HasSubstr("token 97 (number 2)"));
  EXPECT_THAT(error({-1}), HasSubstr("from 0 to 96"));
  EXPECT_THAT(error(std::vector<int32_t>(65, 1)), HasSubstr("65 tokens, the context 64"));
  EXPECT_THAT(error(std::vector<int32_t>(40, 1)), HasSubstr("KV blocks"));
  SamplingOptions sampling;
  sampling.minP = 2;
  EXPECT_THAT(error({1}, sampling), HasSubstr("min-p"));
  EXPECT_FALSE(engine.step());
}

TEST(Session, RefusesAContextBeyondTheModel) {
  LoadedFixture fixture(1);
  SessionOptions options;
  options.step = {16, 1, 1, 513};
  options.kvBlocks = 200;
  auto made = Session::create(*fixture.device, *fixture.program, options);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, HasSubstr("513 tokens is more than the model's 512"));
}

std::vector<float> evaluateAll(int threads, int32_t chunk, int32_t batch) {
  LoadedFixture fixture(threads);
  std::vector<int32_t> tokens;
  for (int i = 0; i < 150; ++i)
    tokens.push_back(i * i % 97);
  EvaluateOptions options = {chunk, batch};
  SessionOptions sizes = evaluateSession(fixture.program->manifest(), 150, options);
  auto made = Session::create(*fixture.device, *fixture.program, sizes);
  EXPECT_TRUE(made);
  std::vector<float> result;
  Status status = evaluate(**made, tokens, options, [&](std::span<const float> rows) {
    result.insert(result.end(), rows.begin(), rows.end());
    return Status();
  });
  EXPECT_TRUE(status);
  EXPECT_EQ((*made)->cache().pool().freeBlocks(), sizes.kvBlocks);
  return result;
}

TEST(Evaluate, SameLogitsForAnyChunkBatchAndThreads) {
  std::vector<float> expected = evaluateAll(1, 512, 1);
  ASSERT_EQ(expected.size(), 150u * 97);
  for (int threads : {1, 2})
    for (int32_t chunk : {1, 13, 150})
      for (int32_t batch : {1, 3, 32})
        ASSERT_EQ(evaluateAll(threads, chunk, batch), expected)
            << threads << " threads, chunk " << chunk << ", batch " << batch;
}

TEST(Evaluate, RefusesWhatCannotBeEvaluated) {
  LoadedFixture fixture(1);
  EvaluateOptions options = {8, 1};
  auto made = Session::create(*fixture.device, *fixture.program,
                              evaluateSession(fixture.program->manifest(), 16, options));
  ASSERT_TRUE(made);
  auto error = [&](std::vector<int32_t> tokens) {
    Status status = evaluate(**made, tokens, options, [](std::span<const float>) {
      ADD_FAILURE() << "logits of nothing";
      return Status();
    });
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_THAT(error({}), HasSubstr("no tokens to evaluate"));
  EXPECT_THAT(error({1, 97}), HasSubstr("token 97 (number 2)"));
}

} // namespace

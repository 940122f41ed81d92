// A conversation whose cache is kept says bit for bit what a new one says that starts from scratch.
#include "llmir/runtime/engine/Conversation.h"
#include "Fixture.h"
#include <gmock/gmock.h>

using namespace llmir;
using testing::HasSubstr;

namespace {

class Conversations : public testing::Test {
protected:
  static constexpr int32_t chunk = 5;
  static constexpr int64_t context = 64;

  std::unique_ptr<Session> makeSession() {
    auto made = Session::create(*fixture.device, *fixture.program, {{chunk, 1, 1, context}, 16});
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }

  struct Turn {
    std::vector<int32_t> tokens; // prompt and completion
    std::vector<float> logits;   // of the last step
    TurnResult result;
  };
  Turn complete(Session &session, Conversation &conversation, std::vector<int32_t> prompt,
                int32_t maxTokens = 7) {
    Request request;
    request.prompt = std::move(prompt);
    request.maxTokens = maxTokens;
    auto result = conversation.complete(request, [] { return false; });
    EXPECT_TRUE(result) << result.error().message;
    std::span<const float> row = session.logits(0);
    return {{conversation.tokens().begin(), conversation.tokens().end()},
            {row.begin(), row.end()},
            result ? *result : TurnResult()};
  }

  LoadedFixture fixture{2};
};

TEST_F(Conversations, LaterTurnsComputeWhatIsNew) {
  auto session = makeSession();
  Conversation conversation(*session, chunk);
  Turn first = complete(*session, conversation, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ(first.result.kept, 0);
  EXPECT_EQ(first.result.computed, 11);
  EXPECT_EQ(first.result.generated, 7);

  std::vector<int32_t> prompt = first.tokens;
  for (int32_t token : {40, 41, 42})
    prompt.push_back(token);
  Turn second = complete(*session, conversation, prompt);
  EXPECT_EQ(second.result.kept, 17); // the last token of a completion was never computed
  EXPECT_EQ(second.result.computed, 4);

  auto other = makeSession();
  Conversation fresh(*other, chunk);
  Turn whole = complete(*other, fresh, prompt);
  EXPECT_EQ(whole.result.kept, 0);
  EXPECT_EQ(whole.tokens, second.tokens);
  EXPECT_EQ(whole.logits, second.logits);
}

TEST_F(Conversations, AnotherPastDropsWhatDiffers) {
  auto session = makeSession();
  Conversation conversation(*session, chunk);
  complete(*session, conversation, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  Turn changed = complete(*session, conversation, {1, 2, 3, 4, 50, 6, 7});
  EXPECT_EQ(changed.result.kept, 4);
  Turn again = complete(*session, conversation, {1, 2, 3, 4, 50, 6, 7});
  EXPECT_EQ(again.result.kept, 6); // all but the one whose logits are needed
  EXPECT_EQ(again.tokens, changed.tokens);
  EXPECT_EQ(again.logits, changed.logits);
  EXPECT_EQ(session->cache().pool().freeBlocks(), 16 - 13 / 4 - 1);
  EXPECT_TRUE(session->cache().pool().check());
}

TEST_F(Conversations, CancelledTurnsKeepWhatTheyComputed) {
  auto session = makeSession();
  Conversation conversation(*session, chunk);
  Request request;
  request.prompt = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  request.maxTokens = 20;
  int steps = 0;
  auto result = conversation.complete(request, [&] { return ++steps > 1; });
  ASSERT_TRUE(result);
  EXPECT_EQ(result->reason, FinishReason::Cancelled);
  EXPECT_EQ(result->computed, chunk);
  request.onToken = [&](int32_t) { return false; };
  result = conversation.complete(request, [] { return false; });
  EXPECT_EQ(result->kept, chunk);
  EXPECT_EQ(result->generated, 1);
  EXPECT_EQ(conversation.tokens().size(), 10u);
}

TEST_F(Conversations, EndsAtTheEndOfTheContext) {
  auto session = makeSession();
  Conversation conversation(*session, chunk);
  Turn turn = complete(*session, conversation, std::vector<int32_t>(60, 3), 100);
  EXPECT_EQ(turn.result.reason, FinishReason::Context);
  EXPECT_EQ(turn.tokens.size(), size_t(context) + 1);
  Request request;
  request.prompt.assign(65, 3);
  auto error = [&] { return conversation.complete(request, [] { return false; }).error().message; };
  EXPECT_EQ(error(),
            "the prompt has 65 tokens, the context 64: raise --context (this model: at most "
            "512) or shorten the prompt");
  request.prompt = {};
  EXPECT_THAT(error(), HasSubstr("empty"));
  request.prompt = {97};
  EXPECT_THAT(error(), HasSubstr("token 97"));
}

} // namespace

// The batch's fields: how Batch::of fills them, and what validate refuses.
#include "llmir/reference/Batch.h"

#include <functional>
#include <gmock/gmock.h>

using namespace llmir;
using namespace llmir::reference;
using testing::ElementsAre;

static Batch example() {
  std::vector<SequenceStep> sequences = {{{10, 11, 12}, 7, {3, 1}}, {{}, 0, {}}, {{20}, 0, {2}}};
  return Batch::of(sequences, 8);
}

TEST(Batch, FieldsOfRaggedSequences) {
  Batch batch = example();
  EXPECT_THAT(batch.tokens, ElementsAre(10, 11, 12, 20));
  EXPECT_THAT(batch.positions, ElementsAre(7, 8, 9, 0));
  EXPECT_THAT(batch.tokenSequence, ElementsAre(0, 0, 0, 2));
  EXPECT_THAT(batch.queryStarts, ElementsAre(0, 3, 3, 4));
  EXPECT_THAT(batch.sequenceLengths, ElementsAre(10, 0, 1));
  EXPECT_EQ(batch.blockTableStride, 2);
  EXPECT_THAT(batch.blockTable, ElementsAre(3, 1, -1, -1, 2, -1));
  EXPECT_THAT(batch.slotMapping, ElementsAre(31, 8, 9, 16));
  EXPECT_THAT(batch.logitRows, ElementsAre(0, 1, 2, 3));
  std::vector<SequenceStep> one = {{{1, 2}, 0, {0}}};
  EXPECT_THAT(Batch::of(one, 8, LogitRows::LastOfSequence).logitRows, ElementsAre(1));
}

TEST(Batch, ValidateAcceptsWhatOfMakes) {
  EXPECT_TRUE(example().validate(8, 4));
  EXPECT_TRUE(Batch::of({}, 8).validate(8, 4));
}

TEST(Batch, ValidateRefusesFieldsThatDisagree) {
  struct Case {
    std::function<void(Batch &)> damage;
    const char *message;
  };
  for (const Case &c : std::vector<Case>{
           {[](Batch &b) { b.positions.pop_back(); }, "positions has 3 entries, 4 are needed"},
           {[](Batch &b) { b.tokenSequence.clear(); }, "token_sequence has 0 entries"},
           {[](Batch &b) { b.slotMapping.push_back(0); }, "slot_mapping has 5 entries"},
           {[](Batch &b) { b.queryStarts.pop_back(); }, "query_starts has 3 entries"},
           {[](Batch &b) { b.blockTable.pop_back(); }, "block_table has 5 entries, 6 are needed"},
           {[](Batch &b) { b.blockTableStride = -1; }, "block_table_stride is -1"},
           {[](Batch &b) { b.queryStarts[1] = 4; }, "query_starts must ascend from 0 to 4"},
           {[](Batch &b) { b.queryStarts[3] = 5; }, "query_starts must ascend from 0 to 4"},
           {[](Batch &b) { b.queryStarts[0] = -1; }, "query_starts must ascend from 0 to 4"},
           {[](Batch &b) { b.tokenSequence[3] = 1; }, "token_sequence[3] is 1"},
           {[](Batch &b) { b.positions[0] = -1; }, "positions[0] is -1"},
           {[](Batch &b) { b.positions[3] = 1; }, "positions[3] is 1, sequence 2 has 1 tokens"},
           {[](Batch &b) { b.slotMapping[0] = 32; },
            "slot_mapping[0] is 32, the cache has 32 slots"},
           {[](Batch &b) { b.slotMapping[0] = -1; }, "slot_mapping[0] is -1"},
           {[](Batch &b) { b.slotMapping[0] = 30; }, "puts position 7 of sequence 0 elsewhere"},
           {[](Batch &b) { b.blockTable[0] = 0; }, "puts position 7 of sequence 0 elsewhere"},
           {[](Batch &b) { b.logitRows[3] = 4; }, "logit_rows[3] is 4"},
           {[](Batch &b) { b.logitRows[1] = 0; }, "logit_rows[1] is 0, the rows must ascend"},
       }) {
    Batch batch = example();
    c.damage(batch);
    Status status = batch.validate(8, 4);
    ASSERT_FALSE(status) << c.message;
    EXPECT_THAT(status.error().message, testing::HasSubstr(c.message));
  }
}

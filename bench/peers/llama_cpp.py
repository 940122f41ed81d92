"""llama.cpp through the C interface that llama-cpp-python binds, compiled from source for this machine."""
import ctypes
import time

import llama_cpp
import numpy as np

REQUIREMENTS = ["llama-cpp-python==0.3.36"]
BUILD_FROM_SOURCE = ["llama-cpp-python"]
BUILD_ENVIRONMENT = {
    "CMAKE_ARGS": "-DGGML_NATIVE=ON -DLLAVA_BUILD=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF",
}


class Peer:
    def __init__(self, model, threads, cases):
        llama_cpp.llama_backend_init()
        self.silence = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.silence, ctypes.c_void_p())
        parameters = llama_cpp.llama_model_default_params()
        parameters.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(model.encode(), parameters)
        if not self.model:
            raise RuntimeError(f"{model}: cannot be loaded")
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.threads = threads
        self.contexts = {}
        self.batch = llama_cpp.llama_batch_init(max([512, *(case.get("batch", 1) for case in cases)]), 0, 1)

    def describe(self):
        return {"version": llama_cpp.__version__, "system": llama_cpp.llama_print_system_info().decode()}

    def context(self, tokens, sequences):
        """An empty context in which each of the sequences has a cache of its own."""
        key = tokens, sequences
        if key not in self.contexts:
            parameters = llama_cpp.llama_context_default_params()
            parameters.n_ctx = tokens * sequences
            parameters.n_seq_max = sequences
            parameters.kv_unified = False
            parameters.n_batch = parameters.n_ubatch = 512
            parameters.n_threads = parameters.n_threads_batch = self.threads
            parameters.no_perf = True
            context = llama_cpp.llama_init_from_model(self.model, parameters)
            if not context:
                raise RuntimeError(f"no context of {sequences} x {tokens} tokens")
            self.contexts[key] = context
        context = self.contexts[key]
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), False)
        return context

    def step(self, context, entries):
        """One call of the model; an entry is (position, sequence, whether its logits are wanted)."""
        batch = self.batch
        batch.n_tokens = len(entries)
        for i, (position, sequence, logits) in enumerate(entries):
            batch.token[i] = (position * 7919 + 17) % self.vocabulary
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = logits
        status = llama_cpp.llama_decode(context, batch)
        if status:
            raise RuntimeError(f"llama_decode failed with {status}")

    def prefill(self, context, prompt):
        for start in range(0, prompt, 512):
            end = min(start + 512, prompt)
            self.step(context, [(i, 0, i + 1 == prompt) for i in range(start, end)])
        llama_cpp.llama_synchronize(context)

    def measure(self, case):
        prompt = case["prompt"]
        if case["kind"] == "decode":
            return self.decode(prompt, case["tokens"], case["batch"])
        context = self.context(prompt + 8, 1)
        start = time.perf_counter()
        self.prefill(context, prompt)
        if case["kind"] == "first_token":
            logits = llama_cpp.llama_get_logits_ith(context, -1)
            int(np.ctypeslib.as_array(logits, shape=(self.vocabulary,)).argmax())
        return time.perf_counter() - start

    def decode(self, prompt, tokens, batch):
        context = self.context(prompt + tokens, batch)
        self.prefill(context, prompt)
        memory = llama_cpp.llama_get_memory(context)
        for sequence in range(1, batch):
            llama_cpp.llama_memory_seq_cp(memory, 0, sequence, -1, -1)
        start = time.perf_counter()
        for step in range(tokens):
            self.step(context, [(prompt + step, sequence, True) for sequence in range(batch)])
        llama_cpp.llama_synchronize(context)
        return time.perf_counter() - start

// What the runtime asks of hardware, and nothing more: memory, a loaded program, one launch per
// step. One implementation a folder (cpu/).
#pragma once

#include "llmir/abi/Artifact.h"
#include "llmir/abi/llmir_abi.h"
#include "llmir/support/Error.h"
#include <cstddef>
#include <memory>
#include <string>

namespace llmir {

/// Memory of a device, owned. Zero when it is made, aligned to 64 bytes at least; pages that are
/// never touched cost nothing.
class DeviceBuffer {
public:
  DeviceBuffer() = default;
  DeviceBuffer(std::byte *data, size_t size, void (*release)(std::byte *, size_t))
      : address(data), bytes(size), release(release) {}
  DeviceBuffer(DeviceBuffer &&other) noexcept { *this = std::move(other); }
  DeviceBuffer &operator=(DeviceBuffer &&other) noexcept {
    std::swap(address, other.address);
    std::swap(bytes, other.bytes);
    std::swap(release, other.release);
    return *this;
  }
  ~DeviceBuffer() {
    if (address)
      release(address, bytes);
  }

  std::byte *data() const { return address; }
  size_t size() const { return bytes; }

private:
  std::byte *address = nullptr;
  size_t bytes = 0;
  void (*release)(std::byte *, size_t) = nullptr;
};

/// An artifact made ready to run on the device that loaded it.
class Program {
public:
  virtual ~Program() = default;
  virtual const Manifest &manifest() const = 0;
};

class Device {
public:
  virtual ~Device() = default;

  /// Zeroed memory. Errors: the size in MiB, where the system has no such amount.
  virtual Expected<DeviceBuffer> allocate(size_t bytes) = 0;

  /// Makes an artifact ready to run. It is native code: who may have written it is asked before.
  /// Errors name the file: another ABI version, instructions that this device lacks.
  virtual Expected<std::unique_ptr<Program>> load(Artifact artifact) = 0;

  /// Runs one step of `program` (of this device) and waits for it. The caller fills batch, kv,
  /// arena, token_capacity and logits; weights and barrier are the device's own. One at a time.
  virtual void launch(const Program &program, const llmir_step_args &args) = 0;
};

} // namespace llmir

package io.metaplast.continual;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * A method's progress after a finished task: its results so far and the arrays that the next task starts from. Random numbers need no
 * state, they are addressed by seed and step. File: "MPLEARN1", a JSON header and the arrays, each with its length in front, and a CRC-32
 * of all that.
 *
 * @param <T> what is recorded of a task
 * @param method the method's name
 * @param tasks results so far
 * @param profile time by phase of the latest run that measured it, or null
 * @param state arrays by name
 */
record Checkpoint<T>(String method, List<T> tasks, Map<String, Double> profile, Map<String, float[]> state) {
  private static final byte[] MAGIC = "MPLEARN1".getBytes(StandardCharsets.US_ASCII);

  /** Ending of the file names. */
  static final String SUFFIX = ".checkpoint";

  private record Header<T>(String method, List<T> tasks, Map<String, Double> profile, Map<String, Integer> arrays) {}

  /** Where a method's checkpoint lies. */
  static Path file(Path folder, String method) {
    return folder.resolve(method + SUFFIX);
  }

  /** Stores it; a crash leaves the previous one. */
  void write(Path folder) throws IOException {
    Map<String, Integer> arrays = new LinkedHashMap<>();
    state.forEach((name, values) -> arrays.put(name, values.length));
    byte[] header = new ObjectMapper().writeValueAsBytes(new Header<>(method, tasks, profile, arrays));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.write(MAGIC);
    out.writeInt(header.length);
    out.write(header);
    for (float[] values : state.values()) {
      ByteBuffer block = ByteBuffer.allocate(4 * values.length);
      block.asFloatBuffer().put(values);
      out.write(block.array());
    }
    out.writeLong(crc(bytes.toByteArray(), bytes.size()));
    AtomicFiles.write(file(folder, method), bytes.toByteArray());
  }

  /**
   * Reads a method's checkpoint, or gives null if there is none.
   *
   * @param result class of the results
   * @throws DataException if the file is damaged
   */
  static <T> Checkpoint<T> read(Path folder, String method, Class<T> result) throws IOException {
    Path file = file(folder, method);
    if (!Files.exists(file)) {
      return null;
    }
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    try {
      byte[] magic = new byte[MAGIC.length];
      in.get(magic);
      if (!Arrays.equals(magic, MAGIC) || in.getLong(bytes.length - Long.BYTES) != crc(bytes, bytes.length - Long.BYTES)) {
        throw damaged(file, null);
      }
      byte[] json = new byte[in.getInt()];
      in.get(json);
      ObjectMapper mapper = new ObjectMapper();
      Header<T> header = mapper.readValue(json, mapper.getTypeFactory().constructParametricType(Header.class, result));
      Map<String, float[]> state = new LinkedHashMap<>();
      for (Map.Entry<String, Integer> array : header.arrays().entrySet()) {
        float[] values = new float[array.getValue()];
        in.slice().asFloatBuffer().get(values);
        in.position(in.position() + 4 * values.length);
        state.put(array.getKey(), values);
      }
      return new Checkpoint<>(header.method(), List.copyOf(header.tasks()), header.profile(), state);
    } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
      throw damaged(file, e);
    }
  }

  private static DataException damaged(Path file, Throwable cause) {
    return new DataException(file + ": damaged or not a checkpoint (checksum differs); delete it to start this method over", cause);
  }

  private static long crc(byte[] bytes, int length) {
    CRC32 crc = new CRC32();
    crc.update(bytes, 0, length);
    return crc.getValue();
  }
}

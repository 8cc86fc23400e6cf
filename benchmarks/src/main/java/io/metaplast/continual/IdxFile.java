package io.metaplast.continual;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * One file in IDX format (the format of MNIST) holding unsigned bytes, plain or gzip; which of the two is told by its first bytes, not by
 * its name.
 *
 * @param dimensions sizes as in the header, slowest first
 * @param data the bytes after the header
 */
record IdxFile(int[] dimensions, byte[] data) {
  private static final int UNSIGNED_BYTE = 0x08;
  private static final int BUFFER_BYTES = 1 << 16;

  /**
   * What a file of a known set must be.
   *
   * @param set name for messages
   * @param bytes size of the unpacked file
   * @param sha256 of the unpacked file
   */
  record Expected(String set, long bytes, String sha256) {}

  /** The names under which a file of the official name {@code stem}-{@code kind} is looked for: dash or dot, plain or gzip. */
  static List<String> namesOf(String stem, String kind) {
    return List.of(stem + "-" + kind, stem + "-" + kind + ".gz", stem + "." + kind, stem + "." + kind + ".gz");
  }

  /** The first of the names that exists in the folder, or null. */
  static Path find(Path folder, List<String> names) throws DataException {
    if (!Files.isDirectory(folder)) {
      throw new DataException(folder + ": not a folder; expected a folder with IDX files such as " + names.get(0) + " or " + names.get(1));
    }
    return names.stream().map(folder::resolve).filter(Files::isRegularFile).findFirst().orElse(null);
  }

  /** As {@link #find}, but the file must be there. */
  static Path require(Path folder, List<String> names) throws DataException {
    Path file = find(folder, names);
    if (file == null) {
      throw new DataException(folder.resolve(names.get(0)) + ": file not found; expected one of " + String.join(", ", names) + " in "
          + folder);
    }
    return file;
  }

  /**
   * Reads a file.
   *
   * @param rank number of dimensions wanted: 3 for images, 1 for labels
   * @param expected size and checksum the unpacked file must have, or null
   * @throws DataException if it is truncated, damaged, of another type or rank, or not the expected one
   */
  static IdxFile read(Path file, int rank, Expected expected) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), BUFFER_BYTES);
        InputStream in = new DigestInputStream(unpack(file, raw), digest)) {
      int headerBytes = 4 + 4 * rank;
      ByteBuffer header = ByteBuffer.wrap(readFully(file, in, headerBytes, 0, headerBytes));
      int magic = header.getInt();
      int wanted = UNSIGNED_BYTE << 8 | rank;
      if (magic != wanted) {
        throw new DataException(
            String.format("%s: magic 0x%08x, expected 0x%08x (IDX, unsigned bytes, %d dimension%s)", file, magic, wanted, rank,
                rank == 1 ? "" : "s"));
      }
      int[] dimensions = new int[rank];
      long bytes = 1;
      for (int d = 0; d < rank; d++) {
        dimensions[d] = header.getInt();
        if (dimensions[d] < 1) {
          throw new DataException(file + ": dimension " + d + " in the header is " + Integer.toUnsignedString(dimensions[d])
              + ", expected 1..2^31-1");
        }
        bytes *= dimensions[d];
        if (bytes > Integer.MAX_VALUE - headerBytes - 8L) {
          throw new DataException(file + ": the header promises " + Arrays.toString(dimensions)
              + " or more elements, expected less than 2 GiB");
        }
      }
      byte[] data = readFully(file, in, (int) bytes, headerBytes, headerBytes + bytes);
      if (in.read() != -1) {
        throw new DataException(file + ": more bytes than the " + (headerBytes + bytes) + " that its header "
            + Arrays.toString(dimensions) + " promises");
      }
      check(file, headerBytes + bytes, HexFormat.of().formatHex(digest.digest()), expected);
      return new IdxFile(dimensions, data);
    } catch (ZipException e) {
      throw new DataException(file + ": damaged gzip (" + e.getMessage() + "); expected " + describe(expected), e);
    } catch (EOFException e) {
      throw new DataException(file + ": truncated gzip; expected " + describe(expected), e);
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  private static InputStream unpack(Path file, InputStream raw) throws IOException {
    raw.mark(2);
    int first = raw.read();
    int second = raw.read();
    raw.reset();
    if (first < 0) {
      throw new DataException(file + ": empty file; expected IDX, plain or gzip");
    }
    return first == 0x1f && second == 0x8b ? new GZIPInputStream(raw, BUFFER_BYTES) : raw;
  }

  private static byte[] readFully(Path file, InputStream in, int n, long before, long total) throws IOException {
    byte[] bytes = new byte[n];
    int got = 0;
    try {
      got = in.readNBytes(bytes, 0, n);
    } catch (EOFException e) {
      throw new DataException(file + ": truncated gzip; expected " + total + " bytes when unpacked", e);
    }
    if (got < n) {
      throw new DataException(file + ": truncated, " + (before + got) + " bytes when unpacked, expected " + total);
    }
    return bytes;
  }

  private static void check(Path file, long bytes, String sha256, Expected expected) throws DataException {
    if (expected == null) {
      return;
    }
    if (bytes != expected.bytes()) {
      throw new DataException(file + ": " + bytes + " bytes when unpacked, expected " + describe(expected)
          + "; --no-checksum accepts other sets");
    }
    if (!sha256.equals(expected.sha256())) {
      throw new DataException(file + ": wrong checksum, SHA-256 " + sha256 + ", expected " + describe(expected)
          + "; --no-checksum accepts other sets");
    }
  }

  private static String describe(Expected expected) {
    return expected == null
        ? "a whole file in IDX format, plain or gzip"
        : expected.set() + " (" + expected.bytes() + " bytes, SHA-256 " + expected.sha256() + ")";
  }
}

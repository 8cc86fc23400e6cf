package io.metaplast.continual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxFileTest {
  private static final byte[] PIXELS = IdxFiles.pattern(5 * 4 * 3);
  private static final byte[] WHOLE = IdxFiles.idx(PIXELS, 5, 4, 3);

  @TempDir private Path folder;

  private IdxFile read(byte[] content) throws IOException {
    return IdxFile.read(IdxFiles.write(folder, "images", content), 3, null);
  }

  @Test
  void plainAndGzipGiveTheSameBytesWhateverTheName() throws IOException {
    for (byte[] content : new byte[][] {WHOLE, IdxFiles.gzip(WHOLE)}) {
      IdxFile file = read(content);
      assertThat(file.dimensions()).containsExactly(5, 4, 3);
      assertThat(file.data()).isEqualTo(PIXELS);
    }
  }

  @Test
  void namesWithDashOrDotPlainOrGzipAreFound() throws IOException {
    for (String name : new String[] {"t10k-x", "t10k-x.gz", "t10k.x", "t10k.x.gz"}) {
      Path one = Files.createTempDirectory(folder, "one");
      Path file = IdxFiles.write(one, name, WHOLE);
      assertThat(IdxFile.require(one, IdxFile.namesOf("t10k", "x"))).isEqualTo(file);
    }
  }

  @Test
  void missingFileNamesAllCandidates() {
    assertThatThrownBy(() -> ImageSet.train(folder, true))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(folder.resolve("train-images-idx3-ubyte") + ": file not found")
        .hasMessageContaining("train-images.idx3-ubyte.gz");
  }

  @Test
  void missingFolderIsSaid() {
    Path nowhere = folder.resolve("nowhere");
    assertThatThrownBy(() -> ImageSet.train(nowhere, true))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(nowhere + ": not a folder");
  }

  @Test
  void wrongMagicShowsBothValues() throws IOException {
    byte[] labels = IdxFiles.idx(new byte[60], 60);
    assertThatThrownBy(() -> read(labels))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("0x00000801")
        .hasMessageContaining("expected 0x00000803");
    assertThatThrownBy(() -> read("<html>not an image</html>".getBytes())).hasMessageContaining("magic 0x3c68746d");
  }

  @Test
  void everyTruncationIsFound() throws IOException {
    for (int length = 1; length < WHOLE.length; length++) {
      byte[] cut = Arrays.copyOf(WHOLE, length);
      assertThatThrownBy(() -> read(cut))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("truncated")
          .hasMessageContaining("expected");
    }
    byte[] packed = IdxFiles.gzip(WHOLE);
    for (int length = 2; length < packed.length; length++) {
      byte[] cut = Arrays.copyOf(packed, length);
      assertThatThrownBy(() -> read(cut))
          .isInstanceOf(DataException.class)
          .hasMessageContaining("truncated gzip")
          .hasMessageContaining("expected");
    }
    assertThatThrownBy(() -> read(new byte[0])).isInstanceOf(DataException.class).hasMessageContaining("empty file");
  }

  @Test
  void everyFlippedBitOfAGzipIsFoundOrChangesNothing() throws IOException {
    byte[] packed = IdxFiles.gzip(WHOLE);
    int found = 0;
    for (int bit = 16; bit < 8 * packed.length; bit++) {
      byte[] broken = packed.clone();
      broken[bit / 8] ^= (byte) (1 << bit % 8);
      try {
        assertThat(read(broken).data()).isEqualTo(PIXELS);
      } catch (DataException e) {
        assertThat(e).hasMessageContaining(folder.resolve("images").toString());
        found++;
      }
    }
    // Only the time stamp, the flags that carry no data and the operating system may change unnoticed.
    assertThat(8 * packed.length - 16 - found).isLessThan(8 * 8);
  }

  @Test
  void surplusBytesAreRefused() {
    byte[] more = Arrays.copyOf(WHOLE, WHOLE.length + 1);
    assertThatThrownBy(() -> read(more)).isInstanceOf(DataException.class).hasMessageContaining("more bytes than the " + WHOLE.length);
  }

  @Test
  void absurdHeadersAreRefusedBeforeAnythingIsAllocated() {
    assertThatThrownBy(() -> read(IdxFiles.idx(PIXELS, 0x7fffffff, 28, 28)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("less than 2 GiB");
    assertThatThrownBy(() -> read(IdxFiles.idx(PIXELS, -1, 28, 28))).isInstanceOf(DataException.class).hasMessageContaining("4294967295");
    assertThatThrownBy(() -> read(IdxFiles.idx(PIXELS, 0, 28, 28))).isInstanceOf(DataException.class).hasMessageContaining("dimension 0");
  }

  @Test
  void sizeAndChecksumAreCompared() throws IOException {
    Path file = IdxFiles.write(folder, "images", IdxFiles.gzip(WHOLE));
    String sha256 = HexFormat.of().formatHex(IdxFile.sha256().digest(WHOLE));
    assertThat(IdxFile.read(file, 3, new IdxFile.Expected("set", WHOLE.length, sha256)).data()).isEqualTo(PIXELS);
    assertThatThrownBy(() -> IdxFile.read(file, 3, new IdxFile.Expected("set", WHOLE.length + 1, sha256)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(WHOLE.length + " bytes when unpacked, expected set (" + (WHOLE.length + 1) + " bytes")
        .hasMessageContaining("--no-checksum");
    String wrong = "00" + sha256.substring(2);
    assertThatThrownBy(() -> IdxFile.read(file, 3, new IdxFile.Expected("set", WHOLE.length, wrong)))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(file + ": wrong checksum, SHA-256 " + sha256)
        .hasMessageContaining(wrong);
  }

  @Test
  void labelsMustFitTheImages() throws IOException {
    byte[] labels = {0, 1, 2, 3, 4};
    IdxFiles.write(folder, "train-images-idx3-ubyte", WHOLE);
    Path file = IdxFiles.write(folder, "train-labels-idx1-ubyte", IdxFiles.idx(Arrays.copyOf(labels, 4), 4));
    assertThatThrownBy(() -> ImageSet.train(folder, false))
        .isInstanceOf(DataException.class)
        .hasMessageContaining(file + ": 4 labels, expected 5");
    labels[3] = 10;
    IdxFiles.write(folder, "train-labels-idx1-ubyte", IdxFiles.idx(labels, 5));
    assertThatThrownBy(() -> ImageSet.train(folder, false))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("label 3 is 10, expected 0..9");
    labels[3] = 9;
    IdxFiles.write(folder, "train-labels-idx1-ubyte", IdxFiles.idx(labels, 5));
    assertThat(ImageSet.train(folder, false).labels()).containsExactly(0, 1, 2, 9, 4);
  }

  @Test
  void setsThatAreNotMnistNeedNoChecksum() throws IOException {
    IdxFiles.write(folder, "train-images-idx3-ubyte", WHOLE);
    IdxFiles.write(folder, "train-labels-idx1-ubyte", IdxFiles.idx(new byte[5], 5));
    assertThatThrownBy(() -> ImageSet.train(folder, true))
        .isInstanceOf(DataException.class)
        .hasMessageContaining("MNIST training images (47040016 bytes");
    assertThat(ImageSet.train(folder, false).count()).isEqualTo(5);
  }
}

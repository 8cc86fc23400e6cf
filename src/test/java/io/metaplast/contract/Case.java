package io.metaplast.contract;

import io.metaplast.Data.Profile;
import io.metaplast.Seeds;
import java.util.ArrayList;
import java.util.List;

/**
 * One size, placement and kind of data.
 *
 * @param index seeds the data, together with the seed of the run and the mode
 * @param n the size that the mode derives its shapes from
 * @param offset elements between a 64-byte boundary and the first element
 * @param profile what values are drawn
 * @param split whether the call is made in pieces
 */
public record Case(int index, int n, int offset, Profile profile, boolean split) {
  /** Sizes 0..1030 at changing offsets, small sizes at all offsets 0..15, and powers of two with their neighbours; all profiles. */
  public static List<Case> sweep(int largest) {
    List<Case> cases = new ArrayList<>();
    for (int n = 0; n <= 1030; n++) {
      add(cases, n, n * 5 % 16);
    }
    for (int n : new int[] {1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 100}) {
      for (int offset = 0; offset < 16; offset++) {
        add(cases, n, offset);
      }
    }
    for (int power = 2048; power <= (Seeds.longCampaign() ? 1 << 22 : 1 << 16) && power < largest; power *= power < 8192 ? 2 : 8) {
      for (int n = power - 1; n <= power + 1; n++) {
        add(cases, n, n % 3);
      }
    }
    return cases;
  }

  private static void add(List<Case> cases, int n, int offset) {
    int index = cases.size();
    cases.add(new Case(index, n, offset, Profile.values()[index % 4], false));
  }

  /** Sizes for comparison with the oracle. */
  public static List<Case> tame() {
    List<Case> cases = new ArrayList<>();
    for (int n = 0; n <= 40; n++) {
      cases.add(new Case(100_000 + n, n, n % 16, Profile.TAME, false));
    }
    for (int n : new int[] {63, 64, 65, 127, 500, 1029, 4096, 4097}) {
      cases.add(new Case(100_000 + n, n, n % 16, Profile.TAME, false));
    }
    return cases;
  }

  /** The same data, in pieces or as a whole. */
  public Case withSplit(boolean inPieces) {
    return new Case(index, n, offset, profile, inPieces);
  }

  /** The same data at another offset. */
  public Case at(int newOffset) {
    return new Case(index, n, newOffset, profile, split);
  }
}

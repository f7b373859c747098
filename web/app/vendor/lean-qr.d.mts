/** As much of lean-qr's types as this page uses. */
export function generate(text: string): {
  readonly size: number;
  toCanvas(
    canvas: HTMLCanvasElement,
    options?: { on?: readonly number[]; off?: readonly number[]; pad?: number },
  ): void;
};

/** How a stem is told apart: by a colour, and by a letter for those who do not see it. */
export interface StemLook {
  name: string
  letter: string
  /** Classes that set the colour of what is filled, and of text. */
  fill: string
  text: string
}

const LOOKS: Record<string, StemLook> = {
  vocals: { name: 'Vocals', letter: 'V', fill: 'bg-vocals', text: 'text-vocals' },
  drums: { name: 'Drums', letter: 'D', fill: 'bg-drums', text: 'text-drums' },
  bass: { name: 'Bass', letter: 'B', fill: 'bg-bass', text: 'text-bass' },
  guitar: { name: 'Guitar', letter: 'G', fill: 'bg-guitar', text: 'text-guitar' },
  piano: { name: 'Piano', letter: 'P', fill: 'bg-piano', text: 'text-piano' },
  other: { name: 'Other', letter: 'O', fill: 'bg-other', text: 'text-other' },
  song: { name: 'Whole song', letter: 'S', fill: 'bg-brand', text: 'text-brand' },
}

export function stemLook(kind: string): StemLook {
  const name = kind.charAt(0).toUpperCase() + kind.slice(1)
  return LOOKS[kind] ?? { name, letter: name.charAt(0), fill: 'bg-brand', text: 'text-brand' }
}

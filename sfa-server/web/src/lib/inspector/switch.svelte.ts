const KEPT = 'sfa.inspector'

class Switch {
  #isOn = $state(localStorage.getItem(KEPT) === 'on')

  get isOn(): boolean {
    return this.#isOn
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn
    localStorage.setItem(KEPT, isOn ? 'on' : 'off')
  }
}

/** Whether the inspector is among the rooms of this browser. What it shows is decided by the server. */
export const inspector = new Switch()
